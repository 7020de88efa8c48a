"""Resource Access Management: roles, and the evaluation of their policy documents."""
