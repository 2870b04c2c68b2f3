"""How a model is trained: the regime of seed 000, section 1.2.2, as defaults."""

from typing import Annotated, Literal

from pydantic import Field

from posedata.config import Frozen

Count = Annotated[int, Field(ge=1)]
Precision = Literal["float32", "bfloat16"]
Shuffle = Literal["windows", "blocks"]
Method = Literal["adam", "muon", "rmsprop", "sgd"]
Schedule = Literal["plateau", "cosine", "once", "steps", "constant"]

FINETUNING_RATE = 1e-4
"""Learning rate at the start of a finetuning (seed 000, section 1.3.2)."""


class TrainConfig(Frozen):
    """All that decides on a training, besides the store and the machine.

    Attributes:
        model: name in `posetrain.models.MODELS`.
        window: frames that a refiner sees at once.
        frame_step: frames from one frame of a window to the next; 2 is half the frame rate.
        epochs: at most so many.
        batch_size: windows, or other samples, a step.
        optimizer: Adam, Muon for the inner weights of a mixer, RMSProp, or gradient descent with momentum; see
            `posetrain.optimizer`.
        learning_rate: at the start.
        schedule: "plateau": the rate falls by steps, and training stops, when the validation loss does not fall any
            more; "cosine": the rate falls along half a cosine over all epochs; "once": it falls by one step for good,
            when the validation score does not rise any more; "steps": it falls by a step every so many epochs;
            "constant": it stays.
        reduce_after: epochs without a lower validation loss, or with "once" without a better score, after which the
            learning rate falls by a step; with "steps", epochs from one step to the next.
        reduce_factor: what it is then multiplied with.
        stop_after: epochs without a lower validation loss after which training stops.
        average: weights are scored and kept as their exponential mean over steps, with this share of the mean so far;
            0 = as they are.
        max_windows: at most so many windows, or other samples, of each split, chosen by the seed; None = all.
        init: run whose best epoch's weights training begins with, its whole path; None = fresh weights.
        sampling_step: DeciWatch samples every so many frames.
        stacks: hourglasses, one after the other.
        width: channels of a hourglass.
        backbone: folder of a pretrained ResNet-50, its whole path; None = fresh weights.
        frozen: whether that stays as it is.
        shuffle: "windows", or other samples, one by one, or in "blocks" that lie together in the store; see
            `posetrain.data.in_blocks`.
        precision: of what a model computes while it trains; weights, losses and scores are float32 always.
        seed: of the weights, of the order of windows, and of their choice.
    """

    model: str = "conv3d"
    window: Annotated[int, Field(ge=1, le=1000)] = 5
    frame_step: Annotated[int, Field(ge=1, le=100)] = 1
    epochs: Count = 50
    batch_size: Count = 16
    optimizer: Method = "adam"
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-3
    schedule: Schedule = "plateau"
    reduce_after: Count = 5
    reduce_factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    stop_after: Count = 10
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    max_windows: Count | None = None
    init: str | None = None
    sampling_step: Count = 4
    stacks: Annotated[int, Field(ge=1, le=16)] = 1
    width: Annotated[int, Field(ge=2, le=1024, multiple_of=2)] = 256
    backbone: str | None = None
    frozen: bool = False
    shuffle: Shuffle = "windows"
    precision: Precision = "float32"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
