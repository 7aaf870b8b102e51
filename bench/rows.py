"""The benchmark's rows in Alpaca's format, made without randomness.

usage: rows.py short|long FILE

short: 80 rows of about 35 tokens, one small task each. long: 40 rows of about 250 tokens, each a
sheet of eight of those tasks, of which the answers, about a half, are trained on.
"""

import json
import sys

CAPITALS = [
    ("France", "Paris", "the Seine"),
    ("Japan", "Tokyo", "the Sumida"),
    ("Egypt", "Cairo", "the Nile"),
    ("Austria", "Vienna", "the Danube"),
    ("Portugal", "Lisbon", "the Tagus"),
    ("Italy", "Rome", "the Tiber"),
    ("Hungary", "Budapest", "the Danube"),
    ("Iraq", "Baghdad", "the Tigris"),
    ("England", "London", "the Thames"),
    ("Germany", "Berlin", "the Spree"),
    ("China", "Beijing", "the Yongding"),
    ("Poland", "Warsaw", "the Vistula"),
]
RES = [
    ("Pod", "the smallest deployable unit", "kubectl get pods"),
    ("Service", "a stable address for a set of pods", "kubectl get svc"),
    ("Deployment", "a controller that keeps replicas running and rolls out changes", "kubectl get deploy"),
    ("Job", "a task that runs to completion", "kubectl get jobs"),
    ("ConfigMap", "non-secret settings kept as keys and values", "kubectl get cm"),
    ("Secret", "sensitive settings such as passwords", "kubectl get secrets"),
    ("PersistentVolumeClaim", "a request for storage", "kubectl get pvc"),
    ("Namespace", "a scope that separates names", "kubectl get ns"),
    ("Node", "a machine that runs pods", "kubectl get nodes"),
    ("CronJob", "a schedule that creates jobs", "kubectl get cronjobs"),
]
SENT = [
    ("The delivery was two weeks late and nobody answered my mails.", "negative"),
    ("Great sound, light and easy to pair with my phone.", "positive"),
    ("The manual is 40 pages long and comes in three languages.", "neutral"),
    ("I would buy this kettle again without thinking twice.", "positive"),
    ("The zip broke on the first day.", "negative"),
    ("It is a blue bag with two pockets.", "neutral"),
    ("Friendly staff, warm soup and a quiet table.", "positive"),
    ("The screen flickers whenever I turn the brightness down.", "negative"),
    ("The parcel weighs 3 kilograms.", "neutral"),
    ("My daughter laughed through the whole film.", "positive"),
]
PLURAL = [
    ("mouse", "mice"),
    ("leaf", "leaves"),
    ("city", "cities"),
    ("child", "children"),
    ("box", "boxes"),
    ("foot", "feet"),
    ("hero", "heroes"),
    ("sheep", "sheep"),
    ("knife", "knives"),
    ("day", "days"),
]
TRANS = [
    ("Good morning", "Bonjour"),
    ("Thank you very much", "Merci beaucoup"),
    ("See you tomorrow", "À demain"),
    ("Where is the station?", "Où est la gare ?"),
    ("I am hungry", "J'ai faim"),
    ("The weather is nice", "Il fait beau"),
    ("Happy birthday", "Joyeux anniversaire"),
    ("How much is it?", "Combien ça coûte ?"),
]
ZH = [
    ("hello", "你好"),
    ("thank you", "谢谢"),
    ("water", "水"),
    ("mountain", "山"),
    ("teacher", "老师"),
    ("train", "火车"),
]
COLORS = ["red", "green", "blue", "yellow", "purple", "orange"]


def rows():
    """An endless, fixed sequence of rows; row k depends only on k."""
    k = 0
    while True:
        t, i = k % 10, k // 10
        if t == 0:
            c = CAPITALS[i % 12]
            yield dict(
                instruction=f"What is the capital of {c[0]}?",
                input="",
                output=f"The capital of {c[0]} is {c[1]}. It lies on {c[2]}.",
            )
        elif t == 1:
            a, b = 7 + 3 * i, 4 + 5 * (i % 9)
            yield dict(
                instruction="Add the two numbers and show the sum.", input=f"{a} and {b}", output=f"{a} + {b} = {a + b}"
            )
        elif t == 2:
            r = RES[i % 10]
            yield dict(
                instruction=f"Explain what a Kubernetes {r[0]} is in one sentence and give the command that lists them.",
                input="",
                output=f"A {r[0]} is {r[1]}.\nList them with `{r[2]}`.",
            )
        elif t == 3:
            s = SENT[i % 10]
            yield dict(
                instruction="Classify the sentiment of the text as positive, negative or neutral.",
                input=s[0],
                output=s[1],
            )
        elif t == 4:
            p = PLURAL[i % 10]
            yield dict(
                instruction="Give the plural form of the noun.", input=p[0], output=f"The plural of {p[0]} is {p[1]}."
            )
        elif t == 5:
            p = TRANS[i % 8]
            yield dict(instruction="Translate the sentence into French.", input=p[0], output=p[1])
        elif t == 6:
            m = 3 + 2 * i
            yield dict(instruction="Convert kilometres to metres.", input=f"{m} km", output=f"{m} km is {m * 1000} m.")
        elif t == 7:
            cs = [COLORS[(i + j) % 6] for j in range(3)]
            yield dict(
                instruction="Return the colours as a JSON list in alphabetical order.",
                input=", ".join(cs),
                output=json.dumps(sorted(cs)),
            )
        elif t == 8:
            z = ZH[i % 6]
            yield dict(instruction="Translate the English word into Chinese.", input=z[0], output=z[1])
        else:
            n = 2 + i % 8
            yield dict(
                instruction=f"Write a Python function that multiplies its argument by {n}.",
                input="",
                output=f"def times_{n}(x):\n    return x * {n}\n",
            )
        k += 1


def short():
    sequence = rows()
    return [next(sequence) for _ in range(80)]


def long():
    """Row k is a sheet with the tasks 8k to 8k + 7."""
    sequence = rows()
    sheets = []
    for _ in range(40):
        tasks = [next(sequence) for _ in range(8)]
        questions = [task["instruction"] + (" " + task["input"] if task["input"] else "") for task in tasks]
        sheets.append(
            {
                "instruction": "Work through the sheet and answer every question.",
                "input": "\n".join(f"{number}. {question}" for number, question in enumerate(questions, 1)),
                "output": "\n".join(f"{number}. {task['output'].strip()}" for number, task in enumerate(tasks, 1)),
            }
        )
    return sheets


if __name__ == "__main__":
    kind, file = sys.argv[1:]
    with open(file, "w", encoding="utf-8") as out:
        json.dump({"short": short, "long": long}[kind](), out, ensure_ascii=False, indent=1)
