"""A stand-in for Simple Log Service: PutLogs as strict as the documents, and enough of GetLogs to read records back."""
