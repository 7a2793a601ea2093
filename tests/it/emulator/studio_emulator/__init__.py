"""An AWS emulator for the services that private access to SageMaker Studio touches.

It is moto's server with its gaps filled. moto reads and writes AWS's wire formats and holds the
objects it knows (VPCs, subnets, security groups, network interfaces, roles, file systems); the
modules here add what moto lacks: life cycles, refusals, and whole kinds of objects.

Reading order: `server` (start), `middleware` (what happens to a request), `registry` and `wire`
(how a handler is found, called and answered), `lifecycle` (how pending states end), then one
module or package for each service.

**Invariant:** nothing here opens a connection to anywhere.
"""
