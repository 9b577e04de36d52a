// A web service on Cloud Run, of which only what passed is deployed. See docs/languages.md.
package main

import (
	"example.com/pulumi-sc-secure/sdk/go/scsecure"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(deploy)
}

func deploy(ctx *pulumi.Context) error {
	settings := config.New(ctx, "")
	location, version := settings.Require("location"), settings.Require("version")

	security := &scsecure.SecurityArgsArgs{
		Scan: &scsecure.ScanArgsArgs{
			FailOn:    pulumi.StringRef(settings.Require("failOn")),
			OnlyFixed: pulumi.BoolRef(true),
		},
		Sbom: &scsecure.SbomArgsArgs{Format: pulumi.StringRef("cyclonedx-json")},
		Signing: &scsecure.SigningArgsArgs{
			Key:    pulumi.StringRef("cosign.key"),
			Verify: &scsecure.SignatureVerifyArgsArgs{Key: pulumi.StringRef("cosign.pub")},
		},
		Provenance: &scsecure.ProvenanceArgsArgs{},
	}

	images, err := scsecure.NewArtifactRegistryRepository(ctx, "images", &scsecure.ArtifactRegistryRepositoryArgs{
		Location:           pulumi.String(location),
		DeletionProtection: pulumi.BoolRef(false),
	})
	if err != nil {
		return err
	}

	image, err := scsecure.NewSecuredImage(ctx, "image", &scsecure.SecuredImageArgs{
		ImageName: pulumi.Sprintf("%s/web:%s", images.RepositoryUrl, version),
		Build: &scsecure.BuildArgsArgs{
			Context:    "../yaml/app",
			Dockerfile: pulumi.StringRef("../yaml/app/Dockerfile"),
			Platform:   pulumi.StringRef("linux/amd64"),
			Args:       pulumi.StringMap{"BASE": pulumi.String(settings.Require("base"))},
		},
		Security: security,
	})
	if err != nil {
		return err
	}

	web, err := scsecure.NewSecuredCloudRunService(ctx, "web", &scsecure.SecuredCloudRunServiceArgs{
		Image:              image.DeployableRef,
		Location:           pulumi.String(location),
		DeletionProtection: pulumi.BoolRef(false),
		MaxInstances:       pulumi.IntRef(10),
		Environment:        pulumi.StringMap{"VERSION": pulumi.String(version)},
		StartupProbe:       &scsecure.CloudRunProbeArgsArgs{Kind: "http", Path: pulumi.StringRef("/healthz")},
		Verify:             &scsecure.DeploymentVerifyArgsArgs{Security: security},
	})
	if err != nil {
		return err
	}

	ctx.Export("deployed", web.Image)
	ctx.Export("serviceName", web.ServiceName)
	ctx.Export("url", web.Url)
	ctx.Export("status", image.Status)
	ctx.Export("scanSummary", image.ScanSummary)
	return nil
}
