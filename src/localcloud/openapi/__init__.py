"""What the services of Alibaba Cloud's OpenAPI share: how requests are signed, and the errors that refuse them."""
