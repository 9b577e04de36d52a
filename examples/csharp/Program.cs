// A web service on Cloud Run, of which only what passed is deployed. See docs/languages.md.
using System.Collections.Generic;
using Pulumi;
using Pulumi.ScSecure;
using Pulumi.ScSecure.Inputs;

return await Deployment.RunAsync(() =>
{
    var config = new Config();
    var location = config.Require("location");
    var version = config.Require("version");

    var security = new SecurityArgsArgs
    {
        Scan = new ScanArgsArgs { FailOn = config.Require("failOn"), OnlyFixed = true },
        Sbom = new SbomArgsArgs { Format = "cyclonedx-json" },
        Signing = new SigningArgsArgs
        {
            Key = "cosign.key",
            Verify = new SignatureVerifyArgsArgs { Key = "cosign.pub" },
        },
        Provenance = new ProvenanceArgsArgs(),
    };

    var images = new ArtifactRegistryRepository("images", new ArtifactRegistryRepositoryArgs
    {
        Location = location,
        DeletionProtection = false,
    });

    var image = new SecuredImage("image", new SecuredImageArgs
    {
        ImageName = Output.Format($"{images.RepositoryUrl}/web:{version}"),
        Build = new BuildArgsArgs
        {
            Context = "../yaml/app",
            Dockerfile = "../yaml/app/Dockerfile",
            Platform = "linux/amd64",
            Args = new InputMap<string> { ["BASE"] = config.Require("base") },
        },
        Security = security,
    });

    var web = new SecuredCloudRunService("web", new SecuredCloudRunServiceArgs
    {
        Image = image.DeployableRef,
        Location = location,
        DeletionProtection = false,
        MaxInstances = 10,
        Environment = new InputMap<string> { ["VERSION"] = version },
        StartupProbe = new CloudRunProbeArgsArgs { Kind = "http", Path = "/healthz" },
        Verify = new DeploymentVerifyArgsArgs { Security = security },
    });

    return new Dictionary<string, object?>
    {
        ["deployed"] = web.Image,
        ["serviceName"] = web.ServiceName,
        ["url"] = web.Url,
        ["status"] = image.Status,
        ["scanSummary"] = image.ScanSummary,
    };
});
