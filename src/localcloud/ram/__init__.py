"""Resource Access Management: roles, and what their policies allow."""
