"""`SecuredEcsService`: a Fargate service that runs only images that have passed, and everything it needs on AWS.

`args` says what a program gives, `limits` and `container_limits` check it, and the other modules each make one part.
"""
