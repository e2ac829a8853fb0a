"""Methods: a flow bound to a network and a codec, as pure functions of weights and keys."""
