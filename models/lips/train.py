"""Trains the network of src/face/sound on what `lips-features` wrote, and writes lips.bin.

    python train.py TRAIN.bin DEV.bin lips.bin [MINUTES [START.bin]]

MINUTES are those of one processor. With START.bin, which a first run wrote, it goes on from there, and the times of the
phonemes are moved to where that one hears them.

Needs numpy and jax (CPU). What a microphone, a room, a line and a volume control do to speech is done to its log-mel
bands, anew for every batch. The layers are described in src/face/sound/network.rs and must be the same here.
"""

import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

BANDS, STEP, TAPS, DILATIONS = 40, 80, 5, (1, 2, 4)
AHEAD, CLASSES = 4, 16
CHANNELS = 80
DROPPED = 0.05
STEPS, BATCH = 256, 32
# Closed lips matter most.
CLASS_WEIGHTS = np.ones(CLASSES, np.float32)
CLASS_WEIGHTS[0], CLASS_WEIGHTS[1] = 0.9, 1.4


def read(path):
    data, at, clips = open(path, "rb").read(), 0, []
    while at < len(data):
        steps, length = np.frombuffer(data, "<u4", 2, at)
        name = data[at + 8 : at + 8 + length].decode()
        at += 8 + int(length)
        bands = np.frombuffer(data, "<i2", int(steps) * STEP, at).reshape(-1, BANDS)
        at += int(steps) * STEP * 2
        classes = np.frombuffer(data, "u1", int(steps), at)
        stress = np.frombuffer(data, "u1", int(steps), at + int(steps)).astype(np.float32)
        # espeak-ng's events do not tell of it.
        stress = stress - 2 if name.startswith("espeak") else stress
        at += 2 * int(steps)
        clips.append((name, bands, classes, stress))
    return clips


# --- augmentation, on power [batch, frame, band] ---------------------------------------------------------------------


def smooth_curve(rng, n, size):
    """Random curves over the bands, about `size` dB high."""
    x = np.linspace(0, 1, BANDS)
    waves = [np.cos(np.pi * k * x)[None] * rng.normal(0, size / k**0.7, (n, 1)) for k in (1, 2, 3, 4)]
    return sum(waves)


def warp(rng, power):
    """Longer and shorter throats: the bands stretched by up to 5 %, without a change of pitch or pace."""
    n = len(power)
    at = np.arange(BANDS)[None] * rng.uniform(0.95, 1.05, (n, 1)) + rng.uniform(-0.4, 0.4, (n, 1))
    at = at.clip(0, BANDS - 1.001)
    low, part = at.astype(int), (at % 1)[:, None]
    rows = np.arange(n)[:, None]
    lower, upper = (power.transpose(0, 2, 1)[rows, low + i].transpose(0, 2, 1) for i in (0, 1))
    return lower ** (1 - part) * upper**part


def some(rng, n, share):
    return (rng.random(n) < share).astype(np.float32)[:, None, None]


def augment(rng, power, other):
    n, frames, _ = power.shape
    decibels = lambda low, high: 10.0 ** (rng.uniform(low, high, (n, 1, 1)) / 10)
    # Voices and microphones differ.
    power = warp(rng, power) * 10 ** (smooth_curve(rng, n, 4.0)[:, None] / 10)
    # Somebody else speaks in the back.
    power = power + some(rng, n, 0.12) * decibels(-35, -15) * other
    # A room: a tail that decays.
    decay = 10 ** (-6 * 0.010 / rng.uniform(0.15, 0.6, (n, 1)))
    wet = (some(rng, n, 0.25) * decibels(-20, -8))[:, 0]
    if wet.any():
        tail, out = np.zeros((n, BANDS)), np.empty_like(power)
        for t in range(frames):
            out[:, t] = power[:, t] + wet * tail
            tail = tail * decay + power[:, t] * (1 - decay)
        power = out
    # Noise of any colour, steady or slowly moving, against the clip's own level.
    level = np.sort(power.sum(2), axis=1)[:, int(frames * 0.9)][:, None, None] / BANDS
    colour = 10 ** (smooth_curve(rng, n, 6.0)[:, None] / 10)
    rough = rng.gamma(3.0, 1 / 3.0, power.shape)
    swell = 10 ** (np.cumsum(rng.normal(0, 0.15, (n, frames, 1)), axis=1).clip(-8, 8) / 10)
    power = power + some(rng, n, 0.5) * decibels(-50, -10) * level * colour * rough * swell
    # A line, a codec: nothing above, or below, some frequency.
    band = np.arange(BANDS)[None, None]
    above = np.where(rng.random((n, 1, 1)) < 0.35, rng.uniform(25, 40, (n, 1, 1)), 99)
    below = np.where(rng.random((n, 1, 1)) < 0.2, rng.uniform(0, 5, (n, 1, 1)), -1)
    steep = rng.uniform(3, 15, (n, 1, 1))
    power = power * 10 ** (-np.clip((band - above) * steep, 0, 80) / 10 - np.clip((below - band) * 6, 0, 40) / 10)
    # Volume, and the floor of what was stored in 16 bits or less.
    power = power * decibels(-30, 3)
    floor = 10 ** (rng.uniform(-11, -8.5, (n, 1, 1))) * rng.gamma(3.0, 1 / 3.0, power.shape)
    return power + np.where(rng.random((n, 1, 1)) < 0.7, floor, 0)


def shares(clips):
    """How often each clip is taken: by its length, voices that speak like people far more than espeak-ng's."""
    kinds = {"espeak": 0.25, "music": 0.5, "noise": 0.5, "hum": 0.6}
    share = np.array([len(c[2]) * kinds.get(c[0].split("-")[0], 1.0) for c in clips])
    return share / share.sum()


def batch(rng, clips, plain=False, share=None):
    picked = rng.choice(len(clips), size=2 * BATCH, p=share)
    bands = np.full((2 * BATCH, 2 * STEPS, BANDS), -100.0, np.float32)
    classes, stress = np.zeros((BATCH, STEPS), np.int32), np.zeros((BATCH, STEPS), np.float32)
    for row, index in enumerate(picked):
        _, own, own_classes, own_stress = clips[index]
        steps = len(own_classes)
        # From some silence before the clip up to within it.
        start = 0 if steps <= STEPS else int(rng.integers(-10, steps - STEPS + 10))
        if rng.random() < 0.4 or steps <= STEPS:
            start = -int(rng.integers(0, 12))
        first, last = max(start, 0), min(start + STEPS, steps)
        to = first - start
        bands[row, 2 * to : 2 * (to + last - first)] = own[2 * first : 2 * last] / 100.0
        if row < BATCH:
            classes[row, to : to + last - first] = own_classes[first:last]
            stress[row, to : to + last - first] = own_stress[first:last]
    power = 10 ** (bands / 10)
    power = power[:BATCH] if plain else augment(rng, power[:BATCH], power[BATCH:])
    levels = np.maximum(10 * np.log10(np.maximum(power, 1e-12)), -100)
    return ((levels + 60) / 20).astype(np.float32), classes, stress


# --- network ---------------------------------------------------------------------------------------------------------


def dense(rng, inputs, outputs, gain=1.0):
    return {"w": rng.normal(0, gain / np.sqrt(inputs), (inputs, outputs)).astype(np.float32), "b": np.zeros(outputs, np.float32)}


def initial(rng, c):
    return {
        "first": dense(rng, TAPS * STEP, c, 1.4),
        "residual": [dense(rng, 3 * c, c, 0.7) for _ in DILATIONS],
        "input": dense(rng, c, 3 * c),
        "recurrent": dense(rng, c, 3 * c),
        "output": dense(rng, 2 * c, CLASSES + 1),
    }


def taps(x, count, dilation, before=0.0):
    """The inputs of a causal convolution side by side, the oldest first."""
    reach = (count - 1) * dilation
    padded = jnp.pad(x, ((0, 0), (reach, 0), (0, 0)), constant_values=before)
    return jnp.concatenate([padded[:, i * dilation : i * dilation + x.shape[1]] for i in range(count)], axis=2)


def apply(p, layer, x):
    return x @ layer["w"] + layer["b"]


def network(p, bands, key=None):
    """`key`: some of what passes between the layers is dropped, for training."""
    n, frames, _ = bands.shape

    def drop(x, index):
        if key is None:
            return x
        kept = jax.random.bernoulli(jax.random.fold_in(key, index), 1 - DROPPED, x.shape)
        return jnp.where(kept, x / (1 - DROPPED), 0)

    x = bands.reshape(n, frames // 2, STEP)
    x = jax.nn.relu(apply(p, p["first"], taps(x, TAPS, 1, -2.0)))
    for layer, dilation in zip(p["residual"], DILATIONS):
        x = x + jax.nn.relu(apply(p, layer, taps(x, 3, dilation)))
    x = drop(x, 0)
    given = apply(p, p["input"], x)
    width = x.shape[2]

    def step(h, g):
        own = apply(p, p["recurrent"], h)
        reset = jax.nn.sigmoid(g[:, :width] + own[:, :width])
        keep = jax.nn.sigmoid(g[:, width : 2 * width] + own[:, width : 2 * width])
        candidate = jnp.tanh(g[:, 2 * width :] + reset * own[:, 2 * width :])
        h = (1 - keep) * candidate + keep * h
        return h, h

    _, h = jax.lax.scan(step, jnp.zeros((n, width)), given.transpose(1, 0, 2), unroll=4)
    return apply(p, p["output"], drop(jnp.concatenate([h.transpose(1, 0, 2), x], axis=2), 1))


def loss(p, key, bands, classes, stress):
    out = network(p, bands, key)[:, AHEAD:]
    classes, stress = classes[:, : STEPS - AHEAD], stress[:, : STEPS - AHEAD]
    logs = jax.nn.log_softmax(out[..., :CLASSES])
    right = jnp.take_along_axis(logs, classes[..., None], 2)[..., 0]
    weight = jnp.asarray(CLASS_WEIGHTS)[classes]
    s = out[..., CLASSES]
    told = jnp.maximum(s, 0) - s * jnp.maximum(stress, 0) + jnp.log1p(jnp.exp(-jnp.abs(s)))
    # Where it is not known, it is negative.
    voiced = ((classes != 0) & (stress >= 0)).astype(jnp.float32)
    return -(right * weight).sum() / weight.sum() + 0.2 * (told * voiced).sum() / jnp.maximum(voiced.sum(), 1)


@jax.jit
def update(p, m, v, count, rate, bands, classes, stress):
    value, g = jax.value_and_grad(loss)(p, jax.random.key(count.astype(int)), bands, classes, stress)
    norm = jnp.sqrt(sum((x**2).sum() for x in jax.tree.leaves(g)))
    g = jax.tree.map(lambda x: x * jnp.minimum(1.0, 1.0 / norm), g)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * g * g, v, g)
    a, b = 1 - 0.9**count, 1 - 0.99**count
    p = jax.tree.map(lambda p, m, v: p - rate * ((m / a) / (jnp.sqrt(v / b) + 1e-8) + 0.002 * p), p, m, v)
    return p, m, v, value


@jax.jit
def likelihoods(p, bands):
    return jax.nn.log_softmax(network(p, bands)[:, AHEAD:, :CLASSES])


def heard(p, clips):
    """For each clip how likely the classes are at each of its steps, 64 clips of about one length at a time."""
    out = [None] * len(clips)
    order = sorted(range(len(clips)), key=lambda i: len(clips[i][2]))
    for first in range(0, len(order), 64):
        some = order[first : first + 64]
        longest = -(-(len(clips[some[-1]][2]) + AHEAD) // 64) * 64
        bands = np.full((64, 2 * longest, BANDS), -100.0, np.float32)
        for row, index in enumerate(some):
            own = clips[index][1]
            bands[row, : 2 * (len(own) // 2)] = own[: 2 * (len(own) // 2)] / 100.0
        told = np.asarray(likelihoods(p, (bands + 60) / 20))
        for row, index in enumerate(some):
            out[index] = told[row, : len(clips[index][2])]
    return out


OPENING = np.array([0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1, 2, 1, 1])


def agreement(p, clips):
    """Percent of the steps with the right class, and with the right one of closed, narrow, open."""
    told, right = np.concatenate(heard(p, clips)).argmax(1), np.concatenate([clip[2] for clip in clips])
    return 100 * (told == right).mean(), 100 * (OPENING[told] == OPENING[right]).mean()


# --- when phonemes begin ---------------------------------------------------------------------------------------------

MOVED, MOVE_PRICE = 3, 0.15


def settled(clip, logs):
    """The clip with its changes of class moved by up to 60 ms to where the network hears them: voices tell their
    lengths in steps of up to 25 ms, and not exactly."""
    name, bands, classes, stress = clip
    changes = np.flatnonzero(np.diff(classes)) + 1
    if not len(changes):
        return clip
    sums = np.concatenate([np.zeros((1, CLASSES)), np.cumsum(logs, 0)])
    starts, order = np.concatenate([[0], changes]), np.arange(-MOVED, MOVED + 1)
    # Where the change may be, what the best way there is worth, and whence it came.
    places, worth, whence = np.array([0]), np.zeros(1), []
    for i, change in enumerate(changes):
        own = sums[:, classes[starts[i]]]
        here = change + order
        gain = own[here.clip(0, len(classes))][:, None] - own[places][None]
        ways = np.where(here[:, None] > places[None], worth[None] + gain, -1e9)
        ways[(here <= 0) | (here >= len(classes))] = -1e9
        whence.append(ways.argmax(1))
        worth = ways.max(1) - MOVE_PRICE * order**2
        places = here.clip(0, len(classes))
    last = sums[:, classes[starts[-1]]]
    at, moved = int((worth + last[-1] - last[places]).argmax()), []
    for i in range(len(changes) - 1, -1, -1):
        moved.append(changes[i] + order[at])
        at = int(whence[i][at])
    moved = np.array(moved[::-1])
    if (np.diff(np.concatenate([[0], moved, [len(classes)]])) <= 0).any():
        return clip
    lengths = np.diff(np.concatenate([[0], moved, [len(classes)]]))
    # The stress of a part is that of its middle.
    middles = (starts + np.concatenate([changes, [len(classes)]])) // 2
    return name, bands, np.repeat(classes[starts], lengths), np.repeat(stress[middles], lengths)


def write(path, p):
    def layer(x):
        w = np.asarray(x["w"]).T
        scale = np.abs(w).max(1) / 127 + 1e-12
        rows = np.round(w / scale[:, None]).astype(np.int8)
        return scale.astype("<f4").tobytes() + rows.tobytes() + np.asarray(x["b"], "<f4").tobytes()

    layers = [p["first"], *p["residual"], p["input"], p["recurrent"], p["output"]]
    head = b"LIPS" + np.array([1, p["first"]["b"].shape[0]], "<u4").tobytes()
    with open(path, "wb") as file:
        file.write(head + b"".join(layer(x) for x in layers))


def begun_with(path):
    """The weights of a file that `write` wrote."""
    data, at = open(path, "rb").read(), 12
    c = int(np.frombuffer(data, "<u4", 1, 8)[0])

    def layer(inputs, outputs):
        nonlocal at
        scale = np.frombuffer(data, "<f4", outputs, at)
        rows = np.frombuffer(data, "i1", inputs * outputs, at + 4 * outputs).reshape(outputs, inputs)
        at += 4 * outputs + inputs * outputs + 4 * outputs
        return {"w": (rows * scale[:, None]).T.copy(), "b": np.frombuffer(data, "<f4", outputs, at - 4 * outputs)}

    first, residual = layer(TAPS * STEP, c), [layer(3 * c, c) for _ in DILATIONS]
    names = ("input", c, 3 * c), ("recurrent", c, 3 * c), ("output", 2 * c, CLASSES + 1)
    return {"first": first, "residual": residual} | {name: layer(i, o) for name, i, o in names}


def main():
    train, dev, out = read(sys.argv[1]), read(sys.argv[2]), sys.argv[3]
    minutes = float(sys.argv[4]) if len(sys.argv) > 4 else 20
    rng = np.random.default_rng(7)
    p, share = initial(rng, CHANNELS), shares(train)
    told, rounds, most = train, [], 2e-3
    if len(sys.argv) > 5:
        p, rounds, most = begun_with(sys.argv[5]), [0.0, 0.5], 1e-3
    m, v = (jax.tree.map(np.zeros_like, p) for _ in range(2))
    count, total, best, begun = 0, 0.0, 0.0, time.process_time()
    print(len(train), "clips", sum(len(c[2]) for c in train) * 0.02 / 60, "minutes", flush=True)
    while (spent := (time.process_time() - begun) / 60 / minutes) < 1:
        if rounds and spent >= rounds[0]:
            rounds.pop(0)
            # Always from the times as they were told, so that nothing drifts.
            train = [settled(clip, logs) for clip, logs in zip(told, heard(p, told))]
            same = np.concatenate([a[2] == b[2] for a, b in zip(train, told)]).mean()
            print(f"changes moved: {100 * same:.1f} % of the steps stay", flush=True)
        rate = most * min(1.0, (count + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * spent)))
        count += 1
        p, m, v, value = update(p, m, v, np.float32(count), rate, *batch(rng, train, share=share))
        total += float(value)
        if count % 200 == 0:
            sixteen, three = agreement(p, dev)
            print(f"{count} {spent * minutes:.1f} min, loss {total / 200:.3f}, dev {sixteen:.1f} {three:.1f}", flush=True)
            total = 0.0
            if sixteen + three > best:
                best = sixteen + three
                write(out, p)


if __name__ == "__main__":
    main()
