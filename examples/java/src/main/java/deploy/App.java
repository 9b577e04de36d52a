// A web service on Cloud Run, of which only what passed is deployed. See docs/languages.md.
package deploy;

import com.pulumi.Context;
import com.pulumi.Pulumi;
import com.pulumi.core.Output;
import com.pulumi.scsecure.ArtifactRegistryRepository;
import com.pulumi.scsecure.ArtifactRegistryRepositoryArgs;
import com.pulumi.scsecure.SecuredCloudRunService;
import com.pulumi.scsecure.SecuredCloudRunServiceArgs;
import com.pulumi.scsecure.SecuredImage;
import com.pulumi.scsecure.SecuredImageArgs;
import com.pulumi.scsecure.inputs.BuildArgsArgs;
import com.pulumi.scsecure.inputs.CloudRunProbeArgsArgs;
import com.pulumi.scsecure.inputs.DeploymentVerifyArgsArgs;
import com.pulumi.scsecure.inputs.ProvenanceArgsArgs;
import com.pulumi.scsecure.inputs.SbomArgsArgs;
import com.pulumi.scsecure.inputs.ScanArgsArgs;
import com.pulumi.scsecure.inputs.SecurityArgsArgs;
import com.pulumi.scsecure.inputs.SignatureVerifyArgsArgs;
import com.pulumi.scsecure.inputs.SigningArgsArgs;
import java.util.Map;

public final class App {
    public static void main(String[] args) {
        Pulumi.run(App::deploy);
    }

    static void deploy(Context ctx) {
        var config = ctx.config();
        var location = config.require("location");
        var version = config.require("version");

        var security = SecurityArgsArgs.builder()
            .scan(ScanArgsArgs.builder().failOn(config.require("failOn")).onlyFixed(true).build())
            .sbom(SbomArgsArgs.builder().format("cyclonedx-json").build())
            .signing(SigningArgsArgs.builder()
                .key("cosign.key")
                .verify(SignatureVerifyArgsArgs.builder().key("cosign.pub").build())
                .build())
            .provenance(ProvenanceArgsArgs.builder().build())
            .build();

        var images = new ArtifactRegistryRepository("images", ArtifactRegistryRepositoryArgs.builder()
            .location(location)
            .deletionProtection(false)
            .build());

        var image = new SecuredImage("image", SecuredImageArgs.builder()
            .imageName(Output.format("%s/web:%s", images.repositoryUrl(), version))
            .build(BuildArgsArgs.builder()
                .context("../yaml/app")
                .dockerfile("../yaml/app/Dockerfile")
                .platform("linux/amd64")
                .args(Map.of("BASE", config.require("base")))
                .build())
            .security(security)
            .build());

        var web = new SecuredCloudRunService("web", SecuredCloudRunServiceArgs.builder()
            .image(image.deployableRef())
            .location(location)
            .deletionProtection(false)
            .maxInstances(10)
            .environment(Map.of("VERSION", version))
            .startupProbe(CloudRunProbeArgsArgs.builder().kind("http").path("/healthz").build())
            .verify(DeploymentVerifyArgsArgs.builder().security(security).build())
            .build());

        ctx.export("deployed", web.image());
        ctx.export("serviceName", web.serviceName());
        ctx.export("url", web.url());
        ctx.export("status", image.status());
        ctx.export("verdict", image.scanSummary().applyValue(summary -> summary.get("verdict")));
    }
}
