"""The stack: what stands in ``template.yml``, checked offline, deployed, looked after and removed."""
