"""The interiors: who made them, under which licence, and what their scene files do not say of themselves."""

from dataclasses import dataclass

CC0 = "CC0 1.0"
CC_BY = "CC BY 3.0"
LICENCE_URLS = {
    CC0: "https://creativecommons.org/publicdomain/zero/1.0/",
    CC_BY: "https://creativecommons.org/licenses/by/3.0/",
}


@dataclass(frozen=True)
class Interior:
    """A furnished room as a scene file with meshes and textures."""

    name: str
    """Of its folder, and the beginning of its views' names."""
    title: str
    author: str
    licence: str
    blend_swap: int
    """Number of the model at blendswap.com, where it was first published."""
    lamps: tuple[str, ...] = ()
    """Materials of what shines when the lamps are on."""
    dropped: tuple[str, ...] = ()
    """Materials of what is left out: glass around bulbs, through which a path tracer hardly finds them."""
    held_out: bool = False
    """Never trained on."""

    @property
    def source(self) -> str:
        """Where it was first published."""
        return f"https://www.blendswap.com/blends/view/{self.blend_swap}"

    @property
    def credit(self) -> str:
        """What a picture of the room has to say."""
        return f'"{self.title}" by {self.author}, {self.licence}'


INTERIORS = (
    Interior("bathroom", "Contemporary Bathroom", "Mareck", CC0, 75302, ("Light",), ("BulbGlass",)),
    Interior("bedroom", "Bedroom", "SlykDrako", CC0, 17385, ("LampEmitter",), ("LampGlass",)),
    Interior("classroom", "Japanese Classroom", "NovaZeeke", CC_BY, 75940, ("FluorescentTube",)),
    Interior("country_kitchen", "Country Kitchen", "Jay-Artist", CC_BY, 42851, ("Bulb",), held_out=True),
    Interior("grey_white_room", "The Grey & White Room", "Wig42", CC_BY, 75795),
    Interior("white_room", "The White Room", "Jay-Artist", CC_BY, 41683, ("CeilingLampshade", "LampshaderOuter")),
)
"""All through Benedikt Bitterli's rendering resources, https://benedikt-bitterli.me/resources/."""

BY_NAME = {interior.name: interior for interior in INTERIORS}
