"""AdaMatte: model."""
