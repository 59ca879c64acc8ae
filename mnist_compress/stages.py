"""stages"""



STAGES = ("Original data", "Preprocessing", "Feature engineering", "Model training",
          "Model pruning", "Model quantization")
