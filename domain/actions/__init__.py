"""What a person can do, one use case a file. Who may is checked on the first lines; a refusal means nothing was changed."""
