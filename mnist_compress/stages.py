"""The six stages, through which the course follows 1000 digits; a textbook's run of training."""

STAGES = ("Original data", "Preprocessing", "Feature engineering", "Model training",
          "Model pruning", "Model quantization")
# An idealized run of five epochs, as in many textbooks: loss, accuracy, observation. It does not
# say on which digits.
TEXTBOOK = (
    (0.65, 0.75, "starts learning, loss is high, accuracy moderate"),
    (0.45, 0.85, "loss decreases, accuracy improves"),
    (0.35, 0.90, "converges well, good accuracy"),
    (0.30, 0.92, "slight improvement, model stabilizes"),
    (0.28, 0.93, "final epoch, ready for optimization"),
)
