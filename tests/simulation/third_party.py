"""The third party of the simulation: photos within a limit, with errors and slow answers."""

from msgspec.structs import replace

from functions.common.errors import RateLimited, Transient
from kinds.photo import Photo
from kinds.photo.unsplash import PhotoPage, Unsplash, no_photos
from tests.simulation.world import World
from tests.unit.factories import make_photo

NOTHING = "nothing"
"""A topic without photos."""
BROKEN = "broken"
"""A topic for which every request fails."""
SHAKY = "shaky"
"""A topic for which the first request fails."""


class ThirdParty(Unsplash):
    """Answers `limit` requests per `seconds`. Its window begins with its first request."""

    def __init__(self, world: World, limit: int, seconds: int, photos: int = 30) -> None:
        self._world = world
        self._limit = limit
        self._milliseconds = 1000 * seconds
        self._photos = photos
        self._window_end = 0
        self._used = 0
        self._number = 0
        self.requests = 0
        self.over_limit = 0
        self.answers: dict[str, int] = {}
        """The number of the answer in which each photo was."""

    def random_photos(self, topic: str, count: int) -> PhotoPage:
        process = self._world.process
        process.sleep(self._world.uniform(0.05, 0.4))
        if self._world.is_random and self._world.random.random() < 0.05:
            process.sleep(8)  # slow
        self.requests += 1
        if self._world.now >= self._window_end:
            self._window_end, self._used = self._world.now + self._milliseconds, 0
        if self._used >= self._limit:
            self.over_limit += 1
            raise RateLimited(0)
        self._used += 1
        fails = topic == BROKEN or (topic == SHAKY and self.requests == 1)
        if fails or (self._world.is_random and self._world.random.random() < 0.05):
            raise Transient("unsplash", "status 500")
        if topic == NOTHING:
            raise no_photos(topic)
        self._number += 1
        photos = [make_photo(id=f"a{self._number}-{index}") for index in range(min(count, self._photos))]
        self.answers |= {photo.id: self._number for photo in photos}
        process.sleep(self._world.uniform(0.01, 0.1))
        return PhotoPage(photos, self._limit - self._used)


class Images:
    """Stores every image."""

    def publish(self, photo: Photo) -> Photo:
        return replace(photo, regular=f"https://cdn.test/{photo.id}")
