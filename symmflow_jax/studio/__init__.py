"""Studio: a page in the browser that reads, paints and edits with a trained model."""
