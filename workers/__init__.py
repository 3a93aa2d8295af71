"""AdaMatte: workers."""
