"""The stack without containers: the same programs and files, kept alive by supervisord."""
