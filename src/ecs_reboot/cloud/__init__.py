"""The calls to Alibaba Cloud, and what goes wrong with them."""
