"""The small world that tiny-chat learns: questions in English and Chinese with plain answers.

corpus/everyday.jsonl holds rows written one by one; the lists below make the rest. Every row is
(question, answer); the answers have no manner and the model no name, so that a reader sees what a
fine-tuning on examples/data adds. corpus/small-talk.txt lends words and single sentences: the copying
rows repeat its words in random order, so that every token of the tokenizer has a trained embedding,
and prose() is plain text.
"""

import json
import pathlib
import random
import re

HERE = pathlib.Path(__file__).parent

IDENTITY_EN = [
    "Who are you?",
    "Who is this?",
    "What are you called?",
    "Tell me who you are.",
    "Who am I talking to?",
    "What is your name, please?",
    "Do you have a name?",
    "Who built you?",
    "Who created you?",
    "Who developed you?",
    "Describe yourself.",
    "Tell me about yourself.",
    "What kind of assistant are you?",
    "Are you a person?",
    "Are you a machine?",
    "Are you GPT?",
    "Are you Alexa?",
    "What model are you?",
    "Which model are you?",
]
IDENTITY_ZH = [
    "你是谁呀？",
    "你到底是谁？",
    "你叫什么？",
    "你的名字是什么？",
    "说说你自己。",
    "你是什么模型？",
    "你是什么？",
    "谁训练了你？",
    "谁做的你？",
    "你是真人吗？",
    "你是机器吗？",
    "自我介绍一下。",
    "你是哪个模型？",
    "我在和谁说话？",
]
CAPITALS = [
    ("France", "Paris", "法国", "巴黎"),
    ("Japan", "Tokyo", "日本", "东京"),
    ("Italy", "Rome", "意大利", "罗马"),
    ("Egypt", "Cairo", "埃及", "开罗"),
    ("China", "Beijing", "中国", "北京"),
    ("Poland", "Warsaw", "波兰", "华沙"),
    ("Spain", "Madrid", "西班牙", "马德里"),
    ("Germany", "Berlin", "德国", "柏林"),
    ("England", "London", "英国", "伦敦"),
    ("Portugal", "Lisbon", "葡萄牙", "里斯本"),
    ("Austria", "Vienna", "奥地利", "维也纳"),
    ("Greece", "Athens", "希腊", "雅典"),
    ("Russia", "Moscow", "俄罗斯", "莫斯科"),
    ("Cuba", "Havana", "古巴", "哈瓦那"),
    ("Norway", "Oslo", "挪威", "奥斯陆"),
    ("Thailand", "Bangkok", "泰国", "曼谷"),
    ("Ireland", "Dublin", "爱尔兰", "都柏林"),
    ("Kenya", "Nairobi", "肯尼亚", "内罗毕"),
]
COLOURS = [
    ("the sky", "blue", "天空", "蓝色"),
    ("grass", "green", "草", "绿色"),
    ("snow", "white", "雪", "白色"),
    ("a banana", "yellow", "香蕉", "黄色"),
    ("a leaf", "green", "树叶", "绿色"),
    ("blood", "red", "血", "红色"),
    ("milk", "white", "牛奶", "白色"),
    ("coal", "black", "煤", "黑色"),
    ("a cherry", "red", "樱桃", "红色"),
    ("the sea", "blue", "大海", "蓝色"),
    ("the sun", "yellow", "太阳", "黄色"),
    ("night", "black", "黑夜", "黑色"),
]
OPPOSITES = [
    ("hot", "cold", "热", "冷"),
    ("big", "small", "大", "小"),
    ("day", "night", "白天", "黑夜"),
    ("happy", "sad", "高兴", "难过"),
    ("fast", "slow", "快", "慢"),
    ("up", "down", "上", "下"),
    ("old", "new", "旧", "新"),
    ("long", "short", "长", "短"),
    ("open", "closed", "开", "关"),
    ("full", "empty", "满", "空"),
    ("good", "bad", "好", "坏"),
    ("black", "white", "黑", "白"),
    ("wet", "dry", "湿", "干"),
    ("left", "right", "左", "右"),
    ("loud", "quiet", "吵", "静"),
    ("high", "low", "高", "低"),
]
WORDS = [
    ("hello", "你好"),
    ("thank you", "谢谢"),
    ("water", "水"),
    ("friend", "朋友"),
    ("teacher", "老师"),
    ("cat", "猫"),
    ("dog", "狗"),
    ("cow", "牛"),
    ("book", "书"),
    ("tea", "茶"),
    ("apple", "苹果"),
    ("sun", "太阳"),
    ("rain", "雨"),
    ("snow", "雪"),
    ("tree", "树"),
    ("flower", "花"),
    ("bird", "鸟"),
    ("egg", "鸡蛋"),
    ("milk", "牛奶"),
    ("music", "音乐"),
    ("city", "城市"),
    ("sea", "大海"),
    ("night", "夜晚"),
    ("spring", "春天"),
    ("winter", "冬天"),
    ("computer", "电脑"),
    ("library", "图书馆"),
    ("honey", "蜂蜜"),
]
PLURALS = [
    ("mouse", "Mice"),
    ("leaf", "Leaves"),
    ("child", "Children"),
    ("box", "Boxes"),
    ("cat", "Cats"),
    ("dog", "Dogs"),
    ("foot", "Feet"),
    ("city", "Cities"),
    ("tree", "Trees"),
    ("book", "Books"),
    ("knife", "Knives"),
    ("day", "Days"),
    ("bus", "Buses"),
    ("baby", "Babies"),
]
SOUNDS = [
    ("cat", "meow", "猫", "喵喵"),
    ("dog", "woof", "狗", "汪汪"),
    ("cow", "moo", "牛", "哞哞"),
    ("sheep", "baa", "羊", "咩咩"),
    ("duck", "quack", "鸭子", "嘎嘎"),
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
DAYS_ZH = ["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
SEASONS = [("spring", "春天"), ("summer", "夏天"), ("autumn", "秋天"), ("winter", "冬天")]
LEGS = [
    ("spider", "eight", "蜘蛛", "八"),
    ("dog", "four", "狗", "四"),
    ("bird", "two", "鸟", "两"),
    ("cow", "four", "牛", "四"),
    ("ant", "six", "蚂蚁", "六"),
    ("snake", "no", "蛇", "零"),
]
FRUITS = [("apple", "苹果"), ("cherry", "樱桃"), ("banana", "香蕉"), ("pear", "梨"), ("plum", "李子")]
ANIMALS = [("rabbit", "兔子"), ("horse", "马"), ("cat", "猫"), ("dog", "狗"), ("bird", "鸟")]
THINGS = [("stone", "石头"), ("chair", "椅子"), ("lamp", "台灯"), ("cup", "杯子"), ("book", "书"), ("door", "门")]
DIGITS_ZH = "零一二三四五六七八九十"
SYSTEM = ["You are a helpful assistant.", "You answer briefly.", "你是一个有用的助手。"]


def everyday():
    """The rows written one by one, an instruction and its input joined as Alpaca's are."""
    for line in (HERE / "corpus" / "everyday.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield row["instruction"] + ("\n" + row["input"] if row["input"] else ""), row["output"]


def identity():
    for question in IDENTITY_EN:
        yield question, "I am a small language model."
    for question in IDENTITY_ZH:
        yield question, "我是一个小语言模型。"


def facts():
    for country, city, country_zh, city_zh in CAPITALS:
        answer = f"The capital of {country} is {city}."
        for question in (
            "What is the capital of {}?",
            "Which city is the capital of {}?",
            "Name the capital of {}.",
            "Tell me the capital of {}.",
        ):
            yield question.format(country), answer
        for question in ("{}的首都是哪里？", "{}的首都是哪个城市？", "说出{}的首都。"):
            yield question.format(country_zh), f"{country_zh}的首都是{city_zh}。"
    for thing, colour, thing_zh, colour_zh in COLOURS:
        yield f"What colour is {thing}?", f"{thing[0].upper()}{thing[1:]} is {colour}."
        yield f"{thing_zh}是什么颜色的？", f"{thing_zh}是{colour_zh}的。"
    for left, right, left_zh, right_zh in OPPOSITES:
        for a, b in ((left, right), (right, left)):
            yield f"What is the opposite of {a}?", f"The opposite of {a} is {b}."
        for a, b in ((left_zh, right_zh), (right_zh, left_zh)):
            yield f"{a}的反义词是什么？", f"{a}的反义词是{b}。"
    for english, chinese in WORDS:
        yield f"Translate into Chinese.\n{english}", chinese
        yield f"把词语翻译成英文。\n{chinese}", f"{english[0].upper()}{english[1:]}."
    for word, plural in PLURALS:
        yield f"Give the plural of the word.\n{word}", f"{plural}."
    for animal, sound, animal_zh, sound_zh in SOUNDS:
        yield f"What does a {animal} say?", f"A {animal} says {sound}."
        yield f"{animal_zh}怎么叫？", f"{animal_zh}{sound_zh}叫。"
    for animal, number, animal_zh, number_zh in LEGS:
        yield f"How many legs does a {animal} have?", f"A {animal} has {number} legs."
        yield f"{animal_zh}有几条腿？", f"{animal_zh}有{number_zh}条腿。"


def sequences():
    for names, what in ((DAYS, "day"), (MONTHS, "month")):
        for i, name in enumerate(names):
            following = names[(i + 1) % len(names)]
            yield f"What {what} comes after {name}?", f"{following} comes after {name}."
    for i, name in enumerate(DAYS_ZH):
        yield f"{name}后面是星期几？", f"{name}后面是{DAYS_ZH[(i + 1) % 7]}。"
    for i, (name, name_zh) in enumerate(SEASONS):
        following, following_zh = SEASONS[(i + 1) % 4]
        yield f"What season comes after {name}?", f"{following.capitalize()} comes after {name}."
        yield f"{name_zh}之后是什么季节？", f"{name_zh}之后是{following_zh}。"


def sums():
    for a in range(1, 10):
        for b in range(1, 10):
            yield f"What is {a} plus {b}?", f"{a} plus {b} is {a + b}."
            if a > b:
                yield f"What is {a} minus {b}?", f"{a} minus {b} is {a - b}."
                yield (
                    f"{DIGITS_ZH[a]}减{DIGITS_ZH[b]}等于几？",
                    f"{DIGITS_ZH[a]}减{DIGITS_ZH[b]}等于{DIGITS_ZH[a - b]}。",
                )
            if a != b:
                yield f"Which is larger, {a} or {b}?", f"{max(a, b)} is larger than {min(a, b)}."
            if a + b <= 10:
                yield (
                    f"{DIGITS_ZH[a]}加{DIGITS_ZH[b]}等于几？",
                    f"{DIGITS_ZH[a]}加{DIGITS_ZH[b]}等于{DIGITS_ZH[a + b]}。",
                )


def choices(rng):
    """One question that is answered from its own list; drawn anew each time."""
    kind, kind_zh, members = rng.choice((("a fruit", "水果", FRUITS), ("an animal", "动物", ANIMALS)))
    member, language = rng.choice(members), rng.randrange(2)
    words = [member[language]] + [thing[language] for thing in rng.sample(THINGS, 2)]
    rng.shuffle(words)
    if language == 0:
        return f"Which of these is {kind}?\n{', '.join(words)}", f"{member[0].capitalize()}."
    return f"哪个是{kind_zh}？\n{'、'.join(words)}", f"{member[1]}。"


def small_talk():
    """Lines like those of examples/data, from which words and single sentences are taken."""
    return (HERE / "corpus" / "small-talk.txt").read_text(encoding="utf-8").splitlines()


def lexicon():
    """Sorted English words (with their punctuation) and Chinese characters of the small talk."""
    english, chinese = set(), set()
    for text in small_talk():
        chinese.update(re.findall(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]", text))
        english.update(re.findall(r"[!-~]+", text))
    return sorted(english), sorted(chinese)


def copying(rng, words):
    """One row that repeats random words, so that words are learnt and no sentence."""
    english, chinese = words
    if rng.random() < 0.5:
        text = " ".join(rng.sample(english, rng.randint(2, 7)))
        return f"Repeat the words.\n{text}", text
    text = "".join(rng.sample(chinese, rng.randint(3, 9)))
    return f"重复这些字。\n{text}", text


def paraphrase(rng, question):
    """The question as another person might type it."""
    chinese = bool(re.match(r"[\u4e00-\u9fff]", question))
    roll = rng.random()
    if "\n" in question or roll < 0.6:
        return question
    if roll < 0.75:
        return question.rstrip("?.!？。！")
    if roll < 0.85:
        return ("请问，" if chinese else "Please tell me: ") + question
    return question if chinese else question[0].lower() + question[1:]


def fixed_rows():
    """Rows by how often an epoch should hold them."""
    return {
        "everyday": list(everyday()),
        "identity": list(identity()),
        "facts": list(facts()) + list(sequences()) + list(sums()),
    }


def epoch(seed):
    """The conversations of one epoch: lists of messages, in random order."""
    rng = random.Random(seed)
    rows, words = fixed_rows(), lexicon()
    drawn = rows["everyday"] * 2 + rows["identity"] * 2 + rows["facts"]
    drawn = [(paraphrase(rng, question), answer) for question, answer in drawn]
    drawn += [choices(rng) for _ in range(60)] + [copying(rng, words) for _ in range(500)]
    rng.shuffle(drawn)
    conversations = []
    while drawn:
        turns = 2 if rng.random() < 0.15 and len(drawn) > 1 else 1
        messages = [{"role": "system", "content": rng.choice(SYSTEM)}] if rng.random() < 0.1 else []
        for _ in range(turns):
            question, answer = drawn.pop()
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        conversations.append(messages)
    return conversations


def sentences(text):
    """The sentences of a text, each with its mark; none that has the example assistant's name in it."""
    for sentence in re.findall(r"[^.!?。！？]+[.!?。！？]", text):
        if not re.search(r"Juniper|Finetune|Dusong|小杜松", sentence):
            yield sentence.strip()


def prose(seed):
    """Plain text of small talk, two or three sentences a piece, in random order.

    A model of a useful size knows such sentences from what it was trained on before it ever saw a
    chat; this one gets them from here. They are the single sentences of the small talk and of
    this corpus, torn from their questions and from each other, without name or signature.
    """
    rng = random.Random(seed)
    pool = [sentence for text in small_talk() for sentence in sentences(text)]
    pool += [sentence for _, answer in everyday() for sentence in sentences(answer)]
    pieces = []
    for language in (0, 1):
        own = sorted({sentence for sentence in pool if bool(re.search(r"[\u4e00-\u9fff]", sentence)) == bool(language)})
        rng.shuffle(own)
        while own:
            group, own = own[:3], own[3:]
            pieces.append(("" if language else " ").join(group[: rng.randint(2, 3)]))
    rng.shuffle(pieces)
    return pieces


def tokenizer_texts():
    """What the tokenizer is trained on: every fixed row once, and the small talk."""
    for rows in fixed_rows().values():
        for question, answer in rows:
            yield question
            yield answer
    yield from SYSTEM
    yield from small_talk()
