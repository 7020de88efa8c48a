"""The template's parameters that say where the code lies: a deployment finds them out by itself."""

CODE = ("CodeBucket", "CodeObject")
