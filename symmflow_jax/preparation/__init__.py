"""What comes before a training: data looked at, encoded or converted, networks tuned."""
