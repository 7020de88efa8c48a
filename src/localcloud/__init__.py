"""A stand-in for Alibaba Cloud on loopback: strict where tests need it to be; never deployed."""
