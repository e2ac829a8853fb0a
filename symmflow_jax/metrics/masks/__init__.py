"""Scores of predicted masks: boundaries of classes, and single images."""
