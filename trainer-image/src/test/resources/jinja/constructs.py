"""Renders small templates, one construct each, with Jinja2 configured as transformers does it.

usage: constructs.py > constructs.json      (Jinja2 3.1)
"""
import json, sys
import jinja2, jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(jinja2.ext.Extension):
    """{% generation %}, which transformers adds, renders its body."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    @jinja2.pass_eval_context
    def _body(self, context, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
env.filters["tojson"] = tojson
env.globals["raise_exception"] = raise_exception

X = dict(
    n=7, z=0, f=2.5, s=" Hello wörld ", e="", t=True, nothing=None, l=[3, 1, 2], words=["b", "A", "c", "a"],
    d={"b": 1, "a": [1, "x", None, True, 1.0]}, emoji="a🙂b", items=[{"k": "x", "v": 1}, {"k": "y", "v": 2}, {"k": "x", "v": 3}], lines="a\nb\n\nc",
    text="one two  three", csv="a,b,,c", quoted="it's \"q\"", html="<a href='x'>&</a>")

T = r"""
a {% if t %} b {% endif %} c
{{ n }}
  {% if t %}  x  {% endif %}  y
a{%- if t -%}  b  {%- endif -%}  c
a {{- n -}} b
{%+ if t %}x{% endif +%} y
{# c #}x{#- c -#} y
{% raw %}{{ n }}{% endraw %} {%- raw -%} {% x %} {%- endraw -%} z
{% if z %}a{% elif n == 7 %}b{% else %}c{% endif %}
{% if z %}a{% elif e %}b{% else %}c{% endif %}
{% for x in l %}{{ loop.index }}/{{ loop.index0 }}/{{ loop.revindex }}/{{ loop.revindex0 }}/{{ loop.first }}/{{ loop.last }}/{{ loop.length }} {% endfor %}
{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{% endfor %}
{% for x in [] %}a{% else %}none{% endfor %}
{% for x in l if x > 1 %}{{ loop.index }}:{{ x }} {% endfor %}
{% for x in l if x > 9 %}{{ x }}{% else %}none{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}
{% for a, (b, c) in [(1, (2, 3))] %}{{ a + b * c }}{% endfor %}
{% for k in d %}{{ k }}{% endfor %}
{% for c in emoji %}[{{ c }}]{% endfor %}
{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}
{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% for x in l %}{% for y in l %}{% if y == 1 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{% endfor %}
{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}
{% set v = 1 %}{% for x in l %}{{ v }}{% set v = x %}{% endfor %}{{ v }}
{% set v = 1 %}{% if t %}{% set v = 2 %}{% endif %}{{ v }}
{% set ns = namespace(a=1) %}{% for x in l %}{% set ns.a = ns.a + x %}{% endfor %}{{ ns.a }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}
{% set b %}x{{ n }}{% endset %}[{{ b }}]
{% set b | upper | replace('X', 'y') %}x{{ n }}z{% endset %}[{{ b }}]
{% macro m(a, b=2, c='z') %}<{{ a }}{{ b }}{{ c }}>{% endmacro %}{{ m(1) }}{{ m(1, c=3) }}{{ m(a=9, b=8) }}
{% macro m(a) %}[{{ a }}{{ caller() }}]{% endmacro %}{% call m(1) %}body{% endcall %}
{% macro m() %}[{{ caller(5) }}]{% endmacro %}{% call(q) m() %}{{ q + n }}{% endcall %}
{% macro m(a) %}{% if a > 0 %}{{ a }}{{ m(a - 1) }}{% endif %}{% endmacro %}{{ m(3) }}
{% filter upper %}abc{{ s }}{% endfilter %}
{% with a = 3, b = n %}{{ a + b }}{% endwith %}{{ a }}
{% generation %}g{{ n }}{% endgeneration %}|
{{ 1 + 2 * 3 - 4 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }}
{{ -n }} {{ +n }} {{ -2 ** 2 }} {{ 1 - -1 }} {{ -3 | abs }}
{{ 1.5 + 1 }} {{ 1e20 }} {{ 1e-5 }} {{ 0.1 + 0.2 }} {{ 1e16 }} {{ 123456789012345680.0 }} {{ 1.0 }} {{ 100000.0 }} {{ 2.0e-3 }} {{ 5e-324 }}
{{ 1 ~ 2 ~ 'x' ~ none ~ true }} {{ 'a' ~ 1 + 2 ~ 'b' if false else 'c' }}
{{ 'a' + 'b' * 3 }} {{ [1] + [2] }} {{ (1,) + (2,) }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' < 'b' }} {{ 3 >= 3 }} {{ 1 != 2 }} {{ [1, 2] < [1, 3] }} {{ [1] == (1,) }}
{{ 'ell' in s }} {{ 2 in l }} {{ 'a' in d }} {{ 'q' not in d }} {{ not 2 in l }} {{ 1 in nope }}
{{ t and n }} {{ z or 'x' }} {{ z and nope.x }} {{ not z }} {{ not t or t }} {{ e or nothing }}
{{ 'a' if t else 'b' }} {{ 'a' if z else 'b' if z else 'c' }} [{{ 'a' if z }}]
{{ none }} {{ None }} {{ true }} {{ False }} {{ nothing is none }} {{ nope }}|{{ nope is defined }}
{{ [1, 'a', none, true, 1.5, [2], {'k': 'v'}] }} {{ (1, 2) }} {{ (1,) }} {{ () }} {{ {} }} {{ {'a': 1, 2: "b"} }} {{ 1, 2 }}
{{ [quoted, "it's", 'say "x"', 'a\nb\\c\td', 'é🙂', '\x07\u200b'] }}
{{ 'a\tb\u00e9\U0001F642\x41\q\'' }} {{ "x" 'y' }}
{{ l[0] }} {{ l[-1] }} [{{ l[9] }}] {{ d['b'] }} {{ d.b }} [{{ d.q }}] [{{ d['q'] }}] {{ l.0 }} {{ emoji[1] }} {{ d['items']() | length }}
{{ l[1:] }} {{ l[:2] }} {{ l[::-1] }} {{ l[-2:] }} {{ l[:-1] }} {{ l[5:] }} {{ l[::2] }} {{ l[2:0:-1] }} {{ emoji[::-1] }} {{ emoji[1:] }} {{ (1,2,3)[1:] }} {{ l[-9:9] }} {{ l[none:2] }}
{{ s.strip() }}|{{ s.lstrip() }}|{{ s.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'abcba'.strip('ab') }}|{{ '--a--'.lstrip('-') }}|{{ '--a--'.rstrip('-') }}
{{ text.split() }} {{ text.split(' ') }} {{ csv.split(',') }} {{ csv.split(',', 1) }} {{ text.split(none, 1) }} {{ csv.rsplit(',', 1) }} {{ 'a'.split('b') }} {{ text.rsplit(none, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ ',a'.rsplit(',') }} {{ lines.splitlines() }}
{{ s.strip().startswith('He') }} {{ s.endswith('x') }} {{ s.startswith((' ', 'x')) }}
{{ s.upper() }} {{ s.lower() }} {{ "they're bill's OLD".title() }} {{ 'hELLO wORLD'.capitalize() }} {{ 'ß'.upper() }}
{{ 'aaa'.replace('a', 'b') }} {{ 'aaa'.replace('a', 'b', 2) }} {{ ', '.join(words) }} {{ 'abc'.find('c') }} {{ 'abc'.find('x') }} {{ 'aXbX'.count('X') }} {{ 'abc'.removeprefix('a') }} {{ 'abc'.removesuffix('c') }} {{ '12'.isdigit() }} {{ 'a1'.isalpha() }} {{ ' '.isspace() }}
{{ d.get('b') }} {{ d.get('q') }} {{ d.get('q', 'z') }} {{ d.keys() | list }} {{ d.values() | list }} {{ l.index(1) }} {{ l.count(3) }}
{{ d | tojson }} {{ html | tojson }} {{ quoted | tojson }} {{ 'é🙂\u2028' | tojson }} {{ 'é🙂' | tojson(ensure_ascii=true) }}
{{ d | tojson(indent=2) }} {{ {} | tojson(indent=2) }} {{ [] | tojson(indent=4) }} {{ d | tojson(sort_keys=true, separators=(',', ':')) }} {{ [1, 2] | tojson(indent=0) }}
{{ s | trim }}|{{ 'xax' | trim('x') }}|{{ nope | trim }}|{{ s | upper }}|{{ s | lower }}|{{ 'foo bar' | title }}|{{ 'foo BAR' | capitalize }}
{{ nope | default('x') }} {{ e | default('x') }}| {{ e | default('x', true) }} {{ nothing | default('x') }} {{ nope | d('y') }} {{ z | default(5, boolean=true) }}
{{ l | length }} {{ emoji | length }} {{ d | count }} {{ nope | length }} {{ l | first }} {{ l | last }} {{ l | sum }} {{ l | min }} {{ l | max }} {{ words | max }}
{{ l | join }} {{ l | join(', ') }} {{ items | join('-', attribute='k') }} {{ l | sort }} {{ l | sort(reverse=true) }} {{ words | sort }} {{ words | sort(case_sensitive=true) }} {{ items | sort(attribute='k') | map(attribute='v') | list }} {{ l | reverse | list }} {{ 'abc' | reverse }} {{ words | unique | list }}
{{ items | selectattr('k', 'equalto', 'x') | map(attribute='v') | list }} {{ items | rejectattr('k', 'eq', 'x') | list }} {{ l | select('odd') | list }} {{ l | reject('gt', 1) | list }} {{ [0, 1, '', 'a'] | select | list }} {{ items | selectattr('q', 'defined') | list }} {{ items | selectattr('v') | list | length }} {{ words | map('upper') | list }} {{ items | map(attribute='q', default='-') | join }}
{{ lines | indent(2) }} {{ lines | indent(2, true) }} {{ lines | indent(1, blank=true) }} {{ lines | replace('\n', '/') }} {{ 42 | string + '1' }} {{ '42' | int + 1 }} {{ 'x' | int }} {{ 3.9 | int }} {{ 2.567 | round(2) }} {{ 2.5 | round }} {{ 2.1 | round(0, 'ceil') }} {{ d | dictsort }} {{ d | items | list }} {{ html | safe }} {{ 'ab' | list }}
{{ n is defined }} {{ nope is undefined }} {{ nope is not defined }} {{ s is string }} {{ n is string }} {{ d is mapping }} {{ l is iterable }} {{ l is sequence }} {{ s is iterable }} {{ n is iterable }} {{ n is number }} {{ true is number }} {{ true is integer }} {{ n is integer }} {{ f is float }} {{ t is true }} {{ t is boolean }} {{ z is false }} {{ n is odd }} {{ n is even }} {{ n is divisibleby 7 }} {{ n is eq 7 }} {{ n is gt(3) }} {{ n is in [7] }} {{ nothing is none }} {{ 'a' is lower }} {{ 'A' is upper }} {{ raise_exception is defined }} {{ raise_exception is callable }} {{ n is sameas 7 }} {{ none is sameas none }}
{{ not nope is defined }} {{ n is defined and n > 1 }} {{ n + 1 is number }} {{ 'yes' if n is odd else 'no' }} {{ n is not none and t }}
{% for i in range(3) %}{{ i }}{% endfor %} {{ range(2, 5) | list }} {{ range(5, 0, -2) | list }} {{ dict(a=1, b=2) }}
{% set x = {'a': {'b': [10, 20]}} %}{{ x.a.b[1] }} {{ x['a']['b'][-1] }} {{ x.a.c is defined }} {{ {'a': {'b': 1}}['a'] }}
{% if not (n == 7 or z) %}a{% else %}b{% endif %} {{ (1 + 2) * 3 }} {{ ((1)) }}
{{ nope }}{{ nope ~ 'a' }}{{ nope == other }}{% for x in nope %}x{% endfor %}{% if nope %}y{% endif %}{{ nope | list }}{{ nope | join }}{{ nope | upper }}
{% set loop_messages = l[1:] %}{% for m in loop_messages %}{{ m }}{% if not loop.last %}, {% endif %}{% endfor %}
{{ nope.x }}
{{ nope() }}
{{ nope + 1 }}
{{ nope < 1 }}
{{ d.q.r }}
{{ 'a' + 1 }}
{{ n.foo() }}
{{ none | length }}
{{ none + 'a' }}
{{ 'a' < 1 }}
{{ 1 // 0 }}
{{ raise_exception('told you') }}
{{ nope | tojson }}
{% for x in 5 %}{% endfor %}
{% set a, b = [1] %}
{{ 1 in 'a' }}
{{ l.append(1) }}
{% if t %}
{{ n
{{ n | nosuch }}
{{ n is nosuch }}
{% nosuch %}
{% endif %}
{% break %}
{{ 'abc }}
{{ (1, 2 }}
{{ }}
{% set x.y = 1 %}
{% for x in l %}
{# open
""".strip("\n").split("\n")

M = {
    "trimmed blocks": "a\n{% if t %}\nb\n{% endif %}\nc\n",
    "stripped indentation": "a\n    {% for x in l %}\n  {{ x }}\n    {% endfor %}\nend",
    "indentation kept before output": "  {{ n }}\n  {{ n }}\n\n",
    "indentation kept behind text": "x  {% if t %}y{% endif %}\n  z",
    "dashes over lines": "a\n\n  {%- if t -%}\n\n  b\n\n  {%- endif %}\n\nc\n",
    "comments over lines": "a\n  {# one\n two #}\nb\n",
    "two final newlines": "a\n\n",
    "newline behind output": "{{ n }}\n{{ n }}\n",
    "carriage returns": "a\r\n{% if t %}\r\nb\r\n{% endif %}\r\nc",
    "output with a newline in it": "{{ 'a\n' + 'b' }}",
    "block behind a block": "{% if t %}\n  {% if t %}\n  x\n  {% endif %}\n{% endif %}\n",
    "tag over lines": "{%- if t\n   and n -%}\n yes\n{%- endif %}",
    "raw over lines": "a\n  {% raw %}\n  {{ x }}\n  {% endraw %}\nb",
    "kept indentation": "a\n  {%+ if t %}b{% endif %}",
}

out = []
for name, source in [(t, t) for t in T] + sorted(M.items()):
    row = dict(name=name, template=source)
    try:
        row["out"] = env.from_string(source).render(**X)
    except Exception as e:
        row["error"] = f"{type(e).__name__}: {e}"[:120]
    out.append(row)
json.dump(dict(variables=X, rows=out), sys.stdout, ensure_ascii=True, indent=1)
