"""A web application on Fargate behind a load balancer, deployed only if its image has passed."""

import pulumi
import pulumi_aws as aws

from sc_secure import EcrRepository, SecuredEcsService, SecuredImage

PORT = 8080

config = pulumi.Config()
tags = {"project": pulumi.get_project(), "stack": pulumi.get_stack()}

# The network: two public subnets. Tasks have public addresses, to reach the registry without a NAT gateway, and let in
# only the load balancer.
zones = aws.get_availability_zones_output(state="available").names
vpc = aws.ec2.Vpc("network", cidr_block="10.0.0.0/16", enable_dns_hostnames=True, tags=tags)
gateway = aws.ec2.InternetGateway("gateway", vpc_id=vpc.id, tags=tags)
routes = aws.ec2.RouteTable("routes", vpc_id=vpc.id, tags=tags)
aws.ec2.Route("internet", route_table_id=routes.id, destination_cidr_block="0.0.0.0/0", gateway_id=gateway.id)
subnets = [
    aws.ec2.Subnet(
        f"public-{index}",
        vpc_id=vpc.id,
        cidr_block=f"10.0.{index}.0/24",
        availability_zone=zones[index],
        tags=tags,
    )
    for index in range(2)
]
associations = [
    aws.ec2.RouteTableAssociation(f"public-{index}", subnet_id=subnet.id, route_table_id=routes.id)
    for index, subnet in enumerate(subnets)
]

# The load balancer. It speaks plain HTTP, since a certificate needs a domain: see the README.
front = aws.ec2.SecurityGroup("front", description="The load balancer", vpc_id=vpc.id, tags=tags)
aws.vpc.SecurityGroupIngressRule(
    "front-http", security_group_id=front.id, cidr_ipv4="0.0.0.0/0", ip_protocol="tcp", from_port=80, to_port=80
)
aws.vpc.SecurityGroupEgressRule(
    "front-tasks", security_group_id=front.id, cidr_ipv4=vpc.cidr_block, ip_protocol="tcp", from_port=PORT, to_port=PORT
)
balancer = aws.lb.LoadBalancer(
    "front",
    load_balancer_type="application",
    security_groups=[front.id],
    subnets=[subnet.id for subnet in subnets],
    drop_invalid_header_fields=True,
    tags=tags,
)
targets = aws.lb.TargetGroup(
    "web",
    vpc_id=vpc.id,
    target_type="ip",
    port=PORT,
    protocol="HTTP",
    deregistration_delay=30,
    health_check=aws.lb.TargetGroupHealthCheckArgs(path="/healthz"),
    tags=tags,
)
listener = aws.lb.Listener(
    "http",
    load_balancer_arn=balancer.arn,
    port=80,
    protocol="HTTP",
    default_actions=[aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets.arn)],
    tags=tags,
)

# The image, and what it has to pass.
security = {
    "scan": {"fail_on": config.require("failOn"), "only_fixed": True},
    "sbom": {"format": "cyclonedx-json"},
    "signing": {"key": "cosign.key", "verify": {"key": "cosign.pub"}},
    "provenance": {},
}
repository = EcrRepository("web", {"force_delete": True, "tags": tags})
image = SecuredImage(
    "web-image",
    {
        "image_name": repository.repository_url.apply(lambda url: f"{url}:{config.require('version')}"),
        "build": {
            "context": "app",
            "dockerfile": "app/Dockerfile",
            "platform": "linux/amd64",
            "args": {"BASE": config.require("base")},
        },
        "security": security,
    },
)

# The service.
secret = aws.secretsmanager.Secret("token", recovery_window_in_days=0, tags=tags)
value = aws.secretsmanager.SecretVersion("token", secret_id=secret.id, secret_string=config.require_secret("token"))
service = SecuredEcsService(
    "web",
    {
        "image": image.deployable_ref,
        "verify": {"security": security},
        "ecr_repository_arns": [repository.repository_arn],
        "subnet_ids": [subnet.id for subnet in subnets],
        "vpc_id": vpc.id,
        "assign_public_ip": True,
        "port": PORT,
        "target_group_arn": targets.arn,
        "ingress_security_group_ids": [front.id],
        "environment": {"PORT": str(PORT), "VERSION": config.require("version")},
        "secrets": {"TOKEN": secret.arn},
        "user": "10001:10001",
        "read_only_root_filesystem": True,
        "drop_capabilities": ["ALL"],
        "health_check": {"command": ["CMD", "python3", "/app/app.py", "--check"]},
        "autoscaling": {
            "min_capacity": 2,
            "max_capacity": 6,
            "cpu_target_percent": 60,
            "requests_per_target": 1000,
            "load_balancer_arn": balancer.arn,
        },
        "tags": tags,
    },
    # Tasks need the way to the internet, the secret's value, and a target group that a load balancer uses.
    pulumi.ResourceOptions(depends_on=[listener, value, *associations]),
)

pulumi.export("url", balancer.dns_name.apply(lambda name: f"http://{name}/"))
pulumi.export("image", service.image)
pulumi.export("service_name", service.service_name)
pulumi.export("cluster_arn", service.cluster_arn)
pulumi.export("task_definition_arn", service.task_definition_arn)
pulumi.export("log_group_name", service.log_group_name)
pulumi.export("scan_summary", image.scan_summary)
