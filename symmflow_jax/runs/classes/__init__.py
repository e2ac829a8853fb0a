"""What a run keeps of its classes beside their names: how often each occurs."""
