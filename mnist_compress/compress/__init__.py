"""The recipe: from a dense network to under a kilobyte, in steps."""

from .augmentation import PART, distort, distorted_copies, tie_pixels  # noqa: F401
from .codebook import (  # noqa: F401
    Grid,
    choose_grid,
    hidden_scales,
    quantization_aware_train,
    share_magnitudes,
    to_codebook,
)
from .distillation import Lesson, distillation_loss, teach, train_teacher  # noqa: F401
from .gradual_pruning import (  # noqa: F401
    cubic_sparsity,
    drop_dead,
    first_masks,
    gradual_prune,
    keep_best,
    saliency,
    weight_bits,
)
from .network import (  # noqa: F401
    CLASSES,
    PIXELS,
    SHORT_BITS,
    batches,
    check_count,
    check_wholes,
    hold,
    logits,
    random_network,
    require,
    through,
    trainable,
)
from .recipe import (  # noqa: F401
    AMOUNTS,
    COUNTS,
    MOST_LEVELS,
    Recipe,
    compress,
    compress_once,
    integers,
)
