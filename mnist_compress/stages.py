"""The six stages of the pipeline, in order; the course follows 1000 digits through them."""

STAGES = ("Original data", "Preprocessing", "Feature engineering", "Model training",
          "Model pruning", "Model quantization")
