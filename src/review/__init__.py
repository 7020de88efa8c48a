"""Look at decisions afterwards and beforehand: explain, replay, forecast (docs/operate/review.md). Never deployed."""
