"""EventBridge: the default bus of one account and the rules that hang on it."""
