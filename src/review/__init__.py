"""Looking at decisions after the fact and ahead of it: explain, replay, forecast (docs/review.md). Never deployed."""
