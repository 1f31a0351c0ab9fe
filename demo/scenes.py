# SPDX-License-Identifier: Apache-2.0
"""Draws the invented world: one seeded scene at a time, with the truth about it.

What goes together in a real collection goes together here, or there would be nothing to schedule: cars and
traffic lights are found outdoors, cats indoors, dogs in the park, numbers on street signs and price tags,
hats in the snow and on the beach, few people at night, and every fourth scene is empty.
"""
import numpy as np
from PIL import Image, ImageDraw

import shapes as s

PLACES = ['street', 'crossing', 'park', 'beach', 'living_room', 'kitchen', 'shop']
INDOORS = {'living_room', 'kitchen', 'shop'}
WEATHER = ['none', 'sun', 'cloud', 'rain', 'snow', 'fog']
DAYTIME = ['indoors', 'day', 'dusk', 'night']
SIZES = [(160, 120)] * 8 + [(192, 144), (240, 180)]
HORIZON = 110  # of the canvas


def choose(rng, weights):
    """A key of `weights`, as often as its weight says."""
    names = list(weights)
    edges = np.cumsum([weights[n] for n in names])
    return names[int(np.searchsorted(edges, rng.random() * edges[-1], side='right'))]


def sky(c, daytime, weather):
    top, low = {'day': ((90, 160, 235), (190, 220, 245)), 'dusk': ((90, 70, 130), (250, 150, 80)),
                'night': ((8, 10, 30), (25, 30, 60))}[daytime]
    if weather in ('cloud', 'rain', 'snow', 'fog') and daytime != 'night':
        grey = {'cloud': 175, 'rain': 125, 'snow': 205, 'fog': 190}[weather]
        top, low = (tuple((v + 3 * grey) // 4 for v in colour) for colour in (top, low))
    for y in range(0, HORIZON + 10, 2):
        colour = tuple(a + (b - a) * y // (HORIZON + 10) for a, b in zip(top, low))
        c.rectangle(0, y, s.WIDTH, 2, colour, 'sky')
    x, y = c.between(20, 280), c.between(8, 40)
    if weather == 'sun' and daytime == 'night':
        c.ellipse(x, y, 26, 26, (235, 235, 215), 'sky')
        for _ in range(25):
            c.rectangle(c.between(0, 318), c.between(0, HORIZON - 10), 2, 2, (220, 220, 230), 'sky')
    elif weather == 'sun':
        c.ellipse(x, y if daytime == 'day' else y + 40, 34, 34, (255, 235, 110), 'sky')
    if weather in ('cloud', 'rain', 'snow'):
        shade = {'day': 225, 'dusk': 170, 'night': 60}[daytime] - (70 if weather == 'rain' else 0)
        shade = max(35, shade)
        for _ in range(c.between(4, 7)):
            x, y, w = c.between(-30, 280), c.between(0, 50), c.between(50, 110)
            for k in range(3):
                c.ellipse(x + k * w // 4, y + (k % 2) * 6, w // 2, w // 3, c.vary((shade,) * 3, 10), 'sky')


def tree(c, x, y, h, snow):
    c.rectangle(x - h // 14, y - h // 2, h // 7, h // 2, (95, 65, 40), 'grass')
    leaf = c.vary((225, 230, 235) if snow else c.pick([(40, 110, 50), (60, 130, 45), (30, 90, 60)]), 12)
    if c.chance(0.5):
        c.ellipse(x - h // 3, y - h, h * 2 // 3, h * 2 // 3, leaf, 'grass')
    else:
        c.polygon([(x - h // 3, y - h // 4), (x, y - h), (x + h // 3, y - h // 4)], leaf, 'grass')


def houses(c, base, night):
    x = c.between(-30, 0)
    while x < s.WIDTH:
        w, h = c.between(45, 90), c.between(50, 100)
        wall = c.vary(c.pick([(180, 150, 130), (150, 90, 75), (200, 195, 185), (120, 125, 140)]), 15)
        c.rectangle(x, base - h, w, h, wall, 'wall')
        for wy in range(base - h + 8, base - 18, 22):
            for wx in range(x + 7, x + w - 12, 20):
                if night and c.chance(0.35):
                    c.rectangle(wx, wy, 10, 12, (250, 220, 120), 'wall')
                    c.glow.append(('rectangle', (wx, wy, wx + 9, wy + 11), (245, 210, 110)))
                else:
                    c.rectangle(wx, wy, 10, 12, (85, 100, 120), 'wall')
        x += w + c.between(0, 12)


def outdoors(c, place, daytime, weather):
    """The ground and what stands on it; returns the line on which figures may stand."""
    snow, night = weather == 'snow', daytime == 'night'
    sky(c, daytime, weather)
    grass = c.vary((228, 232, 238) if snow else (95, 150, 70), 14)
    if place == 'park':
        c.rectangle(0, HORIZON, s.WIDTH, s.HEIGHT, grass, 'grass')
        for _ in range(c.between(3, 6)):
            tree(c, c.between(0, 320), HORIZON + c.between(4, 24), c.between(50, 100), snow)
        x = c.between(90, 230)
        c.polygon([(x, HORIZON), (x + 14, HORIZON), (x + 90, s.HEIGHT), (x - 70, s.HEIGHT)], c.vary((190, 170, 130)),
                  'sand')
    elif place == 'beach':
        shore = HORIZON + c.between(25, 45)
        c.rectangle(0, HORIZON - 10, s.WIDTH, shore - HORIZON + 10, c.vary((50, 120, 180), 12), 'water')
        for _ in range(10):
            c.rectangle(c.between(0, 300), c.between(HORIZON - 6, shore - 4), c.between(10, 40), 2, (170, 205, 225),
                        'water')
        c.rectangle(0, shore, s.WIDTH, s.HEIGHT - shore, grass if snow else c.vary((228, 205, 150), 10), 'sand')
    else:
        houses(c, HORIZON + 18, night)
        c.rectangle(0, HORIZON + 18, s.WIDTH, s.HEIGHT, c.vary((225, 228, 232) if snow else (165, 162, 158), 8), 'wall')
        road, y = c.vary((85, 85, 90), 10), HORIZON + 44
        c.rectangle(0, y, s.WIDTH, s.HEIGHT - y, road, 'road')
        if place == 'crossing':
            x = c.between(90, 190)
            c.polygon([(x, HORIZON + 18), (x + 50, HORIZON + 18), (x + 90, s.HEIGHT), (x - 60, s.HEIGHT)], road, 'road')
            for k in range(7):
                c.rectangle(20 + 40 * k, y + 20, 22, 44, c.vary((235, 235, 235), 8), 'road')
        else:
            for k in range(6):
                c.rectangle(10 + 56 * k, y + 42, 30, 6, c.vary((235, 235, 235), 8), 'road')
            if c.chance(0.5):
                tree(c, c.between(10, 310), HORIZON + 30, c.between(50, 80), snow)


def window(c, x, y, w, h, dark):
    c.rectangle(x - 4, y - 4, w + 8, h + 8, (240, 238, 232), 'wall')
    c.rectangle(x, y, w, h, (25, 30, 60) if dark else (165, 205, 240), 'wall')
    c.rectangle(x + w // 2 - 1, y, 3, h, (240, 238, 232), 'wall')


def living_room(c, wall, dark):
    window(c, c.between(20, 200), c.between(20, 40), c.between(50, 80), 60, dark)
    x = c.between(200, 260)
    c.rectangle(x, c.between(25, 50), 44, 34, c.vary((120, 80, 45)), 'wall')
    sofa, x = c.vary(c.pick(s.CLOTHES)), c.between(10, 150)
    c.rectangle(x, 105, 150, 46, sofa, 'wall')
    c.rectangle(x - 12, 125, 174, 44, c.vary(sofa, 25), 'wall')
    lamp = c.between(5, 290)
    c.rectangle(lamp + 10, 90, 4, 82, (70, 60, 55), 'wall')
    c.polygon([(lamp, 95), (lamp + 6, 66), (lamp + 18, 66), (lamp + 25, 95)], (250, 225, 150), 'wall')
    c.ellipse(c.between(0, 120), 190, 170, 36, c.vary((160, 70, 70)), 'floor')


def kitchen(c, wall, dark):
    for x in range(0, 320, 16):
        c.rectangle(x, 60, 1, 60, (205, 205, 210), 'wall')
    for y in range(60, 120, 12):
        c.rectangle(0, y, 320, 1, (205, 205, 210), 'wall')
    cupboard = c.vary(c.pick([(170, 120, 75), (235, 232, 225), (90, 120, 130)]))
    for x in range(0, 320, 54):
        c.rectangle(x + 2, 8, 50, 46, cupboard, 'wall')
        c.rectangle(x + 42, 28, 4, 8, (60, 60, 60), 'wall')
        c.rectangle(x + 2, 124, 50, 56, cupboard, 'wall')
        c.rectangle(x + 24, 132, 10, 4, (60, 60, 60), 'wall')
    c.rectangle(0, 114, 320, 10, c.vary((80, 80, 84)), 'wall')
    x = c.between(0, 250)
    c.rectangle(x, 24, 62, 156, c.vary((225, 228, 232), 8), 'wall')
    c.rectangle(x, 84, 62, 2, (120, 120, 125), 'wall')
    c.rectangle(x + 52, 60, 4, 50, (120, 120, 125), 'wall')


def shop(c, wall, dark):
    for y in (14, 62, 110):
        c.rectangle(0, y + 40, 320, 7, c.vary((130, 100, 70), 10), 'wall')
        x = c.between(0, 8)
        while x < 316:
            w, h = c.between(8, 22), c.between(16, 36)
            c.rectangle(x, y + 40 - h, w, h, c.vary(c.pick(s.CLOTHES + s.PAINT), 35), 'wall')
            x += w + c.between(1, 5)


def indoors(c, place, dark):
    wall = c.vary(c.pick([(225, 215, 190), (200, 215, 220), (215, 200, 205), (195, 210, 190)]), 14)
    floor_y = 168 if place != 'kitchen' else 178
    c.rectangle(0, 0, s.WIDTH, floor_y, wall, 'wall')
    floor = c.vary({'living_room': (150, 105, 65), 'kitchen': (190, 185, 175), 'shop': (170, 170, 178)}[place], 14)
    c.rectangle(0, floor_y, s.WIDTH, s.HEIGHT - floor_y, floor, 'floor')
    {'living_room': living_room, 'kitchen': kitchen, 'shop': shop}[place](c, wall, dark)


def free_x(c, taken, w):
    """A left edge for something w wide that leaves most of what stands there uncovered; None if there is none."""
    for _ in range(12):
        x = c.between(2, max(2, s.WIDTH - w - 2))
        if all(x + w < a or x > b for a, b in taken):
            taken.append((x, x + w))
            return x
    return None


def number(c):
    return ''.join(str(c.between(1 if i == 0 else 0, 9)) for i in range(c.between(2, 4)))


def add_fixtures(c, place, taken):
    """Signs and traffic lights, behind everything that walks."""
    if place == 'crossing' and c.chance(0.9):
        w = c.between(22, 34)
        x = free_x(c, taken, w)
        state = choose(c.rng, {'red': 4, 'amber': 2, 'green': 4, 'off': 1})
        s.traffic_light(c, x, c.between(14, 60), w, state, HORIZON + 44)
    if c.chance({'street': 0.5, 'crossing': 0.15, 'park': 0.1, 'beach': 0.1, 'shop': 0.55}.get(place, 0)):
        digits, dot = number(c), c.between(3, 4)
        x = free_x(c, taken, dot * (6 * len(digits) + 3) + 4)
        if x is not None:
            s.sign(c, x, c.between(20, 70), dot, digits, None if place == 'shop' else HORIZON + 50)


def pick_hat(c, place, weather):
    bare = {'snow': 1, 'sun': 4}.get(weather, 9) if place not in ('beach',) else 3
    kinds = {'snow': {'beanie': 6, 'cap': 1}}.get(weather, {'cap': 2, 'sunhat': 3 if place == 'beach' else 1})
    if place in INDOORS:
        bare, kinds = 12, {'cap': 1, 'beanie': 1}
    return choose(c.rng, {'bare': bare, **kinds})


def add_portrait(c, place, weather):
    moods = {'beach': {'happy': 6, 'neutral': 2, 'surprised': 1, 'sad': 1}, 'park': {'happy': 4, 'neutral': 3,
             'surprised': 2, 'sad': 1}}.get(place, {'neutral': 4, 'happy': 2, 'sad': 2, 'surprised': 2})
    if weather == 'rain':
        moods = {'sad': 5, 'neutral': 3, 'surprised': 1, 'happy': 1}
    w = c.between(64, 104)
    x = c.between(w * 5 // 4, s.WIDTH - w * 5 // 4)
    s.portrait(c, x, c.between(44, 80), w, choose(c.rng, moods), pick_hat(c, place, weather), c.chance(0.3))


def add_things(c, place, weather, daytime, taken):
    """People, cars and animals, far ones first."""
    night = daytime == 'night'
    todo = []
    if place in ('street', 'crossing'):
        todo += ['car'] * choose(c.rng, {0: 2, 1: 4, 2: 3})
    people = {'street': 0.9, 'crossing': 1.2, 'park': 1.2, 'beach': 1.8, 'living_room': 0.8, 'kitchen': 0.7,
              'shop': 1.6}
    mean = people[place] * (0.35 if night else 0.5 if weather in ('rain', 'snow') else 1)
    todo += ['person'] * choose(c.rng, {0: 1, 1: mean, 2: mean * mean / 2, 3: mean ** 3 / 6, 4: mean ** 4 / 24})
    chances = {'dog': {'park': 0.5, 'beach': 0.3, 'street': 0.12, 'living_room': 0.15},
               'cat': {'living_room': 0.45, 'kitchen': 0.35, 'street': 0.06},
               'ball': {'park': 0.3, 'beach': 0.4, 'living_room': 0.1}}
    todo += [kind for kind, where in chances.items() if c.chance(where.get(place, 0))]
    todo.sort(key=('car', 'person', 'dog', 'cat', 'ball').index)
    for kind in todo:
        depth = c.between(0, 100)  # 0 far, 100 near
        y = {'street': 166, 'crossing': 166, 'park': 140, 'beach': 165}.get(place, 186) + depth * 45 // 100
        size = {'car': 74 + depth * 6 // 10, 'person': 62 + depth * 7 // 10, 'dog': 44 + depth * 3 // 10,
                'cat': 40 + depth * 3 // 10, 'ball': 18 + depth // 8}[kind]
        x = free_x(c, taken, size * 11 // 20 if kind == 'person' else size)
        if x is None:
            continue
        if kind == 'person':
            s.person(c, x + size * 11 // 40, y, size, pick_hat(c, place, weather))
        elif kind == 'car':
            s.car(c, x, y + 8, size, night)
        else:
            getattr(s, kind)(c, x, y, size)


def light_and_weather(c, daytime, weather, dark):
    """From the drawn canvas to final pixels: darkness, lights, fog, rain, snow, grain. Whole numbers only."""
    a = np.asarray(c.image).astype(np.int32)
    gain = {'day': (256, 256, 256), 'dusk': (215, 180, 170), 'night': (120, 125, 160),
            'indoors': (250, 245, 235)}[daytime]
    if dark:
        gain = (190, 175, 150)
    shade = {'cloud': 235, 'rain': 205, 'snow': 245, 'fog': 240}.get(weather, 256) * c.between(232, 262) // 256
    a = a * np.array(gain) * shade >> 16
    image = Image.fromarray(np.clip(a, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for kind, box, colour in c.glow:
        x, y = (box[0] + box[2]) // 2, (box[1] + box[3]) // 2
        covered = kind == 'rectangle' and s.SURFACES[c.map.getpixel((min(max(x, 0), s.WIDTH - 1), y))] != 'wall'
        if not covered:
            getattr(draw, kind)(box, fill=colour)
    fog = 0
    if weather == 'rain':
        drop = (185, 195, 210) if daytime != 'night' else (95, 105, 125)
        for _ in range(150):
            x, y, n = c.between(-10, 320), c.between(-10, 240), c.between(8, 18)
            draw.line((x, y, x - n // 4, y + n), fill=drop, width=1)
        fog = 25
    elif weather == 'snow':
        for _ in range(110):
            x, y, d = c.between(0, 320), c.between(0, 240), c.between(3, 5)
            draw.ellipse((x, y, x + d, y + d), fill=(245, 245, 250) if daytime != 'night' else (150, 150, 165))
        fog = 30
    elif weather == 'fog':
        fog = c.between(110, 180)
    a = np.asarray(image).astype(np.int32)
    mist = {'night': 60, 'dusk': 165}.get(daytime, 205)
    a = (a * (256 - fog) + mist * fog) // 256
    return np.clip(a, 0, 255).astype(np.uint8), fog


def visibility(daytime, fog, dark):
    """How well one sees, 0 to 1: what mist and darkness leave."""
    light = {'day': 1.0, 'dusk': 0.8, 'night': 0.5, 'indoors': 0.85 if dark else 1.0}[daytime]
    return round(light * (1 - fog / 256), 3)


def draw(seed, size=None):
    """One scene: (pixels (H, W, 3) uint8, truth). Boxes in the truth are x, y, w, h in [0, 1]."""
    rng = np.random.Generator(np.random.PCG64(seed))
    c = s.Canvas(rng)
    place = choose(rng, {'street': 4, 'crossing': 4, 'park': 4, 'beach': 3, 'living_room': 3, 'kitchen': 2, 'shop': 3})
    inside = place in INDOORS
    daytime = choose(rng, {'day': 6, 'dusk': 2, 'night': 3})
    sunny = 6 if place == 'beach' else 3
    weather = 'none' if inside else choose(rng, {'sun': sunny, 'cloud': 3, 'rain': 2, 'snow': 1.5, 'fog': 1.5})
    dark = inside and daytime == 'night'
    taken = []
    if inside:
        indoors(c, place, dark)
        daytime = 'indoors'
    else:
        outdoors(c, place, daytime, weather)
    what = choose(rng, {'empty': 25, 'portrait': 22 if daytime != 'night' else 8, 'things': 53})
    if what == 'portrait':
        add_portrait(c, place, weather)
    else:
        add_fixtures(c, place, taken)
    if what == 'things':
        add_things(c, place, weather, daytime, taken)
    return finish(c, rng, place, daytime, weather, dark, size)


def finish(c, rng, place, daytime, weather, dark, size):
    canvas, fog = light_and_weather(c, daytime, weather, dark)
    if size is None:
        size = SIZES[int(rng.integers(len(SIZES)))]
    image = Image.fromarray(canvas)
    image = image.reduce(2) if size == (160, 120) else image.resize(size, Image.Resampling.BOX)
    noise = rng.integers(-5, 6, (size[1], size[0], 1), dtype=np.int16)
    pixels = np.clip(np.asarray(image).astype(np.int16) + noise, 0, 255).astype(np.uint8)

    def share(box):
        return [box[0] / s.WIDTH, box[1] / s.HEIGHT, box[2] / s.WIDTH, box[3] / s.HEIGHT]
    people = sum(o['label'] == 'person' for o in c.objects)
    truth = {'place': place, 'daytime': daytime, 'weather': weather, 'people': people,
             'visibility': visibility(daytime, fog, dark),
             'objects': [{**o, 'box': share(o['box'])} for o in c.objects],
             'faces': [{**f, 'box': share(f['box'])} for f in c.faces],
             'surfaces': np.asarray(c.map)}
    return pixels, truth
