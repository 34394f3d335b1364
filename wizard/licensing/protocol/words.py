"""Four words that a person can compare, made from an instance's public key."""

import hashlib

WORDS = """
    acorn album amber anchor apple april arrow atlas autumn bacon badge baker bamboo banana basket beach beard
    beaver berry bishop blanket bottle bridge broom bubble bucket butter button cabin cactus camel candle canoe
    canyon carbon carpet carrot castle cattle cedar cello chalk cherry chess chimney cinema circus clover coast
    cobra coffee comet copper coral cotton crayon cricket crown crystal curtain daisy delta desert diamond
    dinner doctor dolphin donkey dragon drum eagle earth easel echo elbow elephant ember engine falcon farmer
    feather ferry fiddle finger flame flute forest fossil fountain fox garden garlic gate giant ginger glacier
    glove goat gold grape guitar hammer harbour harp hazel helmet heron hockey honey hotel husky iceberg igloo
    iris island ivory jacket jaguar jelly jewel jungle kayak kettle kitchen koala ladder lagoon lake lantern
    lemon leopard library lily lion lizard lobster lotus magnet mango maple marble market meadow melon mirror
    monkey moon mosaic motor mountain museum mushroom mustard napkin needle nest nickel noodle ocean olive onion
    orange orchid otter owl oxygen oyster paddle palace panda paper parrot peanut pebble pencil penguin pepper
    piano pigeon pilot pirate planet pocket poem polar potato prism puzzle pyramid quail quartz queen rabbit
    radio rainbow raven ribbon river robin rocket ruby saddle sailor salmon sapphire scarf school shadow shell
    silver skater sofa spider sponge squid stable statue storm sugar summit sunset swan table teapot temple
    thunder tiger timber tomato tower tractor trumpet tulip tunnel turtle umbrella unicorn valley vanilla velvet
    village violin volcano wagon walnut walrus water whale window winter wizard wolf yacht yellow zebra zipper
""".split()  # noqa: SIM905 - 256 quoted words would hide each other
"""256 short words that sound different from each other: one a byte, in alphabetical order. Never reorder them."""


def fingerprint_words(instance_key: bytes) -> tuple[str, str, str, str]:
    """The first four bytes of the key's SHA-256, as words. Shown by the instance and by the activation page alike."""
    first, second, third, fourth = hashlib.sha256(instance_key).digest()[:4]
    return WORDS[first], WORDS[second], WORDS[third], WORDS[fourth]
