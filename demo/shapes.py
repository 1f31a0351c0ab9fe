# SPDX-License-Identifier: Apache-2.0
"""The things of the invented world, drawn with Pillow on a canvas of twice the final size.

Each function draws one thing, adds it to the canvas's truth and uses whole numbers only, so that a seed
gives the same pixels on every machine. Coordinates are canvas pixels: x to the right, y down, boxes x, y, w, h.
"""
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 320, 240
SURFACES = ['sky', 'wall', 'road', 'grass', 'sand', 'water', 'floor', 'thing']
OBJECTS = ['person', 'car', 'dog', 'cat', 'ball', 'sign', 'traffic_light']
EXPRESSIONS = ['neutral', 'happy', 'sad', 'surprised']
HEADWEAR = ['bare', 'cap', 'beanie', 'sunhat']
LIGHTS = ['off', 'red', 'amber', 'green']

# 5 x 7 digits, one string a row.
DIGITS = [
    '01110 10001 10011 10101 11001 10001 01110', '00100 01100 00100 00100 00100 00100 01110',
    '01110 10001 00001 00110 01000 10000 11111', '11110 00001 00001 01110 00001 00001 11110',
    '00010 00110 01010 10010 11111 00010 00010', '11111 10000 11110 00001 00001 10001 01110',
    '00110 01000 10000 11110 10001 10001 01110', '11111 00001 00010 00100 01000 01000 01000',
    '01110 10001 10001 01110 10001 10001 01110', '01110 10001 10001 01111 00001 00010 01100',
]
SKIN = [(244, 208, 177), (224, 172, 125), (198, 134, 86), (141, 85, 54), (94, 58, 40)]
HAIR = [(40, 30, 24), (92, 60, 36), (160, 110, 50), (210, 180, 110), (150, 150, 150)]
CLOTHES = [(200, 40, 50), (40, 90, 190), (40, 140, 80), (230, 180, 40), (120, 60, 150), (230, 230, 230), (60, 60, 70)]
PAINT = [(190, 30, 40), (30, 70, 170), (235, 235, 235), (50, 50, 55), (230, 190, 40), (50, 130, 80)]
PLATES = [((250, 250, 245), (20, 20, 20)), ((250, 210, 40), (20, 20, 20)), ((30, 70, 170), (250, 250, 250)),
          ((20, 110, 60), (250, 250, 250))]


class Canvas:
    """Colours, the surface under each pixel, and what was drawn where."""

    def __init__(self, rng):
        self.rng = rng
        self.image = Image.new('RGB', (WIDTH, HEIGHT))
        self.draw = ImageDraw.Draw(self.image)
        self.map = Image.new('L', (WIDTH, HEIGHT), SURFACES.index('wall'))
        self.map_draw = ImageDraw.Draw(self.map)
        self.glow = []  # what shines is drawn after the light is taken away
        self.objects = []
        self.faces = []

    def pick(self, values):
        return values[int(self.rng.integers(len(values)))]

    def between(self, low, high):
        """A whole number from low to high, both included."""
        return int(self.rng.integers(int(low), int(high) + 1))

    def chance(self, p):
        return bool(self.rng.random() < p)

    def vary(self, colour, by=18):
        shift = self.between(-by, by)
        return tuple(min(255, max(0, v + shift + self.between(-6, 6))) for v in colour)

    def rectangle(self, x, y, w, h, colour, surface='thing'):
        if w < 1 or h < 1:
            return
        box = (int(x), int(y), int(x + w) - 1, int(y + h) - 1)
        self.draw.rectangle(box, fill=colour)
        self.map_draw.rectangle(box, fill=SURFACES.index(surface))

    def ellipse(self, x, y, w, h, colour, surface='thing'):
        if w < 1 or h < 1:
            return
        box = (int(x), int(y), int(x + w) - 1, int(y + h) - 1)
        self.draw.ellipse(box, fill=colour)
        self.map_draw.ellipse(box, fill=SURFACES.index(surface))

    def polygon(self, points, colour, surface='thing'):
        points = [(int(x), int(y)) for x, y in points]
        self.draw.polygon(points, fill=colour)
        self.map_draw.polygon(points, fill=SURFACES.index(surface))

    def line(self, points, colour, width):
        points = [(int(x), int(y)) for x, y in points]
        self.draw.line(points, fill=colour, width=max(1, int(width)))
        self.map_draw.line(points, fill=SURFACES.index('thing'), width=max(1, int(width)))

    def shine(self, x, y, w, h, colour):
        """A light: drawn again when the scene has been darkened."""
        self.ellipse(x, y, w, h, colour)
        self.glow.append(('ellipse', (int(x), int(y), int(x + w) - 1, int(y + h) - 1), colour))

    def add(self, label, x, y, w, h, **more):
        """Note an object; its box is cut at the picture's edge."""
        x0, y0 = max(0, int(x)), max(0, int(y))
        x1, y1 = min(WIDTH, int(x + w)), min(HEIGHT, int(y + h))
        self.objects.append({'label': label, 'box': (x0, y0, x1 - x0, y1 - y0), **more})


def hat(c, kind, x, y, w):
    """Headwear over a head whose box starts at x, y and is w wide."""
    if kind == 'cap':
        colour = c.vary(c.pick(CLOTHES))
        side = 1 if c.chance(0.5) else -1
        c.draw.pieslice((x, y - w // 10, x + w, y + w // 2 + w // 5), 180, 360, fill=colour)
        brim = (x + w // 2, y + w // 4) if side > 0 else (x - w // 3, y + w // 4)
        c.rectangle(*brim, w * 5 // 6, max(2, w // 9), c.vary(colour, 30))
    elif kind == 'beanie':
        colour = c.vary(c.pick(CLOTHES))
        c.draw.pieslice((x - w // 20, y - w // 4, x + w + w // 20, y + w * 3 // 4), 180, 360, fill=colour)
        c.rectangle(x - w // 20, y + w // 6, w + w // 10, max(2, w // 7), c.vary((235, 235, 235)))
        c.ellipse(x + w // 2 - w // 7, y - w // 4 - w // 6, w * 2 // 7, w * 2 // 7, c.vary((235, 235, 235)))
    elif kind == 'sunhat':
        colour = c.vary((225, 195, 120))
        c.ellipse(x - w // 2, y + w // 12, w * 2, max(3, w // 3), colour)
        c.draw.pieslice((x + w // 12, y - w // 3, x + w - w // 12, y + w // 2), 180, 360, fill=colour)
        c.rectangle(x + w // 12, y + w // 20, w - w // 6, max(1, w // 10), c.vary((150, 60, 50)))


def person(c, foot_x, foot_y, height, headwear='bare'):
    """A blocky figure standing with the feet at (foot_x, foot_y)."""
    head = max(6, height // 6)
    body_w, body_h = max(6, height // 4), height * 2 // 5
    top = foot_y - height
    skin, shirt, trousers = c.pick(SKIN), c.vary(c.pick(CLOTHES)), c.vary(c.pick(CLOTHES), 30)
    legs_y = top + head + body_h
    stride = c.between(0, max(1, height // 10))
    leg = max(2, body_w // 3)
    c.polygon([(foot_x - body_w // 2, legs_y), (foot_x - body_w // 2 + leg, legs_y),
               (foot_x - body_w // 2 + leg - stride, foot_y), (foot_x - body_w // 2 - stride, foot_y)], trousers)
    c.polygon([(foot_x + body_w // 2 - leg, legs_y), (foot_x + body_w // 2, legs_y),
               (foot_x + body_w // 2 + stride, foot_y), (foot_x + body_w // 2 - leg + stride, foot_y)], trousers)
    c.rectangle(foot_x - body_w // 2, top + head, body_w, body_h, shirt)
    arm, reach = max(2, body_w // 4), c.between(0, body_w // 2)
    for side in (-1, 1):
        c.line([(foot_x + side * body_w // 2, top + head + arm // 2),
                (foot_x + side * (body_w // 2 + arm + reach), top + head + body_h * 3 // 4)], shirt, arm)
    c.ellipse(foot_x - head // 2, top, head, head, skin)
    if headwear == 'bare':
        c.draw.pieslice((foot_x - head // 2, top - 1, foot_x + head // 2, top + head), 180, 360, fill=c.pick(HAIR))
    else:
        hat(c, headwear, foot_x - head // 2, top, head)
    half = body_w // 2 + arm + reach
    c.add('person', foot_x - half, top, 2 * half, height, headwear=headwear)


def portrait(c, centre_x, top, width, expression, headwear, glasses=False):
    """Head and shoulders close up; the face is large enough to read."""
    height = width * 5 // 4
    x, skin, shirt = centre_x - width // 2, c.pick(SKIN), c.vary(c.pick(CLOTHES))
    shoulder = top + height + width // 8
    c.ellipse(centre_x - width * 9 // 8, shoulder - width // 8, width * 9 // 4, width * 2, shirt)
    c.rectangle(centre_x - width // 5, top + height * 3 // 4, width * 2 // 5, height // 2, skin)
    hair = c.pick(HAIR)
    long_hair = c.chance(0.4)
    c.ellipse(x - width // 10, top - width // 8, width * 6 // 5, height if long_hair else height * 3 // 4, hair)
    if long_hair:
        c.rectangle(x - width // 10, top + height // 3, width * 6 // 5, height * 3 // 5, hair)
    c.ellipse(x, top + height // 16, width, height - height // 16, skin)
    hat(c, headwear, x, top, width)
    features(c, centre_x, top, width, height, expression, glasses)
    c.faces.append({'box': (x, top, width, height), 'expression': expression, 'headwear': headwear,
                    'glasses': glasses})
    c.add('person', centre_x - width * 9 // 8, top - width // 8, width * 9 // 4, HEIGHT - top + width // 8,
          headwear=headwear)


def features(c, x, top, w, h, expression, glasses):
    """Eyes, brows and mouth around the face's middle line x."""
    dark, eye_y, eye = (35, 25, 25), top + h * 9 // 20, max(4, w // 8)
    tall = eye * 3 // 2 if expression == 'surprised' else eye
    line = max(2, w // 22)
    for side in (-1, 1):
        ex = x + side * w // 4
        c.ellipse(ex - eye // 2 - 2, eye_y - tall // 2 - 2, eye + 4, tall + 4, (250, 250, 250))
        c.ellipse(ex - eye // 4, eye_y - eye // 4, eye // 2 + 1, eye // 2 + 1, dark)
        lift = {'sad': -w // 14, 'surprised': w // 16}.get(expression, 0)
        inner = lift if expression != 'sad' else w // 14
        c.line([(ex - side * eye * 3 // 4, eye_y - eye - inner), (ex + side * eye * 3 // 4, eye_y - eye - lift)],
               dark, line)
        if glasses:
            c.draw.ellipse((ex - eye, eye_y - eye, ex + eye, eye_y + eye), outline=dark, width=line)
    if glasses:
        c.line([(x - w // 4 + eye, eye_y), (x + w // 4 - eye, eye_y)], dark, line)
    mouth_y, mouth = top + h * 3 // 4, w // 4
    if expression == 'happy':
        c.draw.chord((x - mouth, mouth_y - mouth * 3 // 4, x + mouth, mouth_y + mouth // 2), 10, 170,
                     fill=(150, 30, 40))
    elif expression == 'sad':
        c.draw.arc((x - mouth, mouth_y, x + mouth, mouth_y + mouth * 3 // 2), 200, 340, fill=(120, 30, 40),
                   width=line + 1)
    elif expression == 'surprised':
        c.ellipse(x - mouth // 2, mouth_y - mouth // 2, mouth, mouth * 4 // 3, (110, 20, 30))
    else:
        c.rectangle(x - mouth * 3 // 4, mouth_y, mouth * 3 // 2, line + 1, (120, 40, 45))


def car(c, x, y, w, night):
    """Side view; wheels on the line y, w wide."""
    h, paint, side = w * 2 // 5, c.vary(c.pick(PAINT)), 1 if c.chance(0.5) else -1
    body_y = y - h * 11 // 20 - h // 8
    c.polygon([(x + w // 6, body_y), (x + w * 3 // 10, y - h), (x + w * 7 // 10, y - h), (x + w * 17 // 20, body_y)],
              paint)
    c.polygon([(x + w * 5 // 20, body_y), (x + w * 13 // 40, y - h + h // 10), (x + w // 2 - 2, y - h + h // 10),
               (x + w // 2 - 2, body_y)], (150, 190, 210))
    c.polygon([(x + w // 2 + 2, body_y), (x + w // 2 + 2, y - h + h // 10), (x + w * 27 // 40, y - h + h // 10),
               (x + w * 15 // 20, body_y)], (150, 190, 210))
    c.rectangle(x, body_y, w, h * 11 // 20, paint)
    wheel = h * 2 // 5
    for cx in (x + w // 5, x + w * 4 // 5):
        c.ellipse(cx - wheel // 2, y - wheel, wheel, wheel, (25, 25, 28))
        c.ellipse(cx - wheel // 5, y - wheel * 7 // 10, wheel * 2 // 5, wheel * 2 // 5, (170, 170, 175))
    lamp = max(3, h // 7)
    front, back = (x + w - lamp, x) if side > 0 else (x, x + w - lamp)
    put = c.shine if night else c.ellipse
    put(front, body_y + h // 10, lamp, lamp, (255, 240, 170))
    put(back, body_y + h // 10, lamp, lamp, (230, 40, 40))
    c.add('car', x, y - h, w, h)


def dog(c, x, y, w):
    """A dog standing in side view, feet on the line y."""
    h, side = w * 3 // 4, 1 if c.chance(0.5) else -1
    fur = c.vary(c.pick([(150, 100, 55), (205, 170, 115), (60, 45, 40), (225, 220, 210), (120, 115, 110)]))
    dark = tuple(v * 2 // 3 for v in fur)

    def at(px, pw):  # mirrored for side -1
        return x + px if side > 0 else x + w - px - pw
    leg = max(2, w // 12)
    for px in (w // 8, w // 4, w * 11 // 20, w * 13 // 20):
        c.rectangle(at(px, leg), y - h * 2 // 5, leg, h * 2 // 5, dark)
    c.ellipse(at(w // 12, w * 13 // 20), y - h * 7 // 10, w * 13 // 20, h * 2 // 5, fur)
    tail = [(at(w // 10, 0), y - h * 3 // 5), (at(0, 0), y - h * 19 // 20)]
    c.line(tail, fur, leg)
    c.ellipse(at(w * 12 // 20, w * 3 // 10), y - h, w * 3 // 10, h * 2 // 5, fur)
    c.rectangle(at(w * 16 // 20, w // 5), y - h * 17 // 20, w // 5, h // 6, fur)
    c.ellipse(at(w * 19 // 20 - 1, w // 16 + 2), y - h * 17 // 20, w // 16 + 2, w // 16 + 2, (20, 20, 20))
    c.ellipse(at(w * 12 // 20, w // 8), y - h * 19 // 20, w // 8, h * 2 // 5, dark)
    c.add('dog', x, y - h, w, h)


def cat(c, x, y, h):
    """A cat sitting, seen from the front, on the line y."""
    w, side = h * 7 // 10, 1 if c.chance(0.5) else -1
    fur = c.vary(c.pick([(220, 140, 60), (40, 40, 45), (150, 150, 155), (235, 230, 225)]))
    cx = x + w // 2
    c.line([(cx, y - h // 10), (cx + side * w * 9 // 20, y - h // 8), (cx + side * w * 9 // 20, y - h * 2 // 5)], fur,
           max(2, h // 12))
    c.ellipse(cx - w * 7 // 20, y - h * 3 // 5, w * 7 // 10, h * 3 // 5, fur)
    head = h * 9 // 20
    hy = y - h + h // 8
    for s in (-1, 1):
        c.polygon([(cx + s * head // 2, hy + head // 3), (cx + s * head * 9 // 20, y - h),
                   (cx + s * head // 10, hy)], fur)
    c.ellipse(cx - head // 2, hy, head, head, fur)
    for s in (-1, 1):
        c.ellipse(cx + s * head // 4 - head // 10, hy + head // 3, head // 5, head // 4, (120, 220, 90))
    c.ellipse(cx - head // 12, hy + head * 3 // 5, head // 6, head // 8, (240, 130, 140))
    c.add('cat', x, y - h, w, h)


def ball(c, x, y, d):
    """A striped ball, d across, resting on the line y."""
    colour = c.vary(c.pick([(220, 40, 40), (250, 200, 40), (40, 80, 210), (240, 120, 30)]))
    c.ellipse(x, y - d, d, d, colour)
    c.ellipse(x + d // 3, y - d, d // 3, d, (245, 245, 245))
    c.add('ball', x, y - d, d, d)


def sign(c, x, y, dot, digits, pole_to=None):
    """A plate with digits; one font dot is `dot` canvas pixels. With pole_to it stands on a pole down to there."""
    (plate, ink), pad = c.pick(PLATES), dot * 2
    w, h = dot * (6 * len(digits) - 1) + 2 * pad, dot * 7 + 2 * pad
    if pole_to is not None:
        c.rectangle(x + w // 2 - dot, y + h, 2 * dot, pole_to - y - h, (120, 120, 125))
    c.rectangle(x - 2, y - 2, w + 4, h + 4, ink)
    c.rectangle(x, y, w, h, c.vary(plate, 8))
    for i, digit in enumerate(digits):
        for row, bits in enumerate(DIGITS[int(digit)].split()):
            for column, bit in enumerate(bits):
                if bit == '1':
                    dx, dy = x + pad + dot * (6 * i + column), y + pad + dot * row
                    c.draw.rectangle((dx, dy, dx + dot - 1, dy + dot - 1), fill=ink)
    c.add('sign', x - 2, y - 2, w + 4, h + 4, text=digits)


def traffic_light(c, x, y, w, state, pole_to):
    """A dark box with three lamps on a pole; at most one lamp is lit."""
    h = w * 5 // 2
    c.rectangle(x + w // 2 - w // 10, y + h, max(2, w // 5), pole_to - y - h, (95, 95, 100))
    c.rectangle(x, y, w, h, (28, 28, 30))
    lamp = w * 3 // 5
    lit = {'red': (255, 40, 30), 'amber': (255, 180, 20), 'green': (40, 240, 90)}
    unlit = {'red': (80, 25, 25), 'amber': (80, 62, 22), 'green': (25, 70, 36)}
    for i, name in enumerate(('red', 'amber', 'green')):
        ly = y + w // 6 + i * w * 3 // 4
        if name == state:
            c.shine(x + (w - lamp) // 2, ly, lamp, lamp, lit[name])
        else:
            c.ellipse(x + (w - lamp) // 2, ly, lamp, lamp, unlit[name])
    c.add('traffic_light', x, y, w, h, state=state)
