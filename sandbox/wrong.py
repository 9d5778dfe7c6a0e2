"""What the control handles say when they are used wrongly."""


class ControlError(Exception):
    """A control was used wrongly. `why` and `next_step` are for whoever reads the answer."""

    def __init__(self, why: str, next_step: str, status: int = 400) -> None:
        super().__init__(why)
        self.why, self.next_step, self.status = why, next_step, status

    @property
    def answer(self) -> dict[str, str]:
        """The JSON that says so."""
        return {"error": "bad_control", "why": self.why, "next": self.next_step}
