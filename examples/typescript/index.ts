// A web service on Cloud Run, of which only what passed is deployed. See docs/languages.md.
import * as pulumi from "@pulumi/pulumi";
import * as secure from "@pulumi/sc-secure";

const config = new pulumi.Config();
const location = config.require("location");
const version = config.require("version");

const security: secure.types.input.SecurityArgsArgs = {
    scan: { failOn: config.require("failOn"), onlyFixed: true },
    sbom: { format: "cyclonedx-json" },
    signing: { key: "cosign.key", verify: { key: "cosign.pub" } },
    provenance: {},
};

const images = new secure.ArtifactRegistryRepository("images", { location, deletionProtection: false });

const image = new secure.SecuredImage("image", {
    imageName: pulumi.interpolate`${images.repositoryUrl}/web:${version}`,
    build: {
        context: "../yaml/app",
        dockerfile: "../yaml/app/Dockerfile",
        platform: "linux/amd64",
        args: { BASE: config.require("base") },
    },
    security,
});

const web = new secure.SecuredCloudRunService("web", {
    image: image.deployableRef,
    location,
    deletionProtection: false,
    maxInstances: 10,
    environment: { VERSION: version },
    startupProbe: { kind: "http", path: "/healthz" },
    verify: { security },
});

export const deployed = web.image;
export const serviceName = web.serviceName;
export const url = web.url;
export const status = image.status;
export const scanSummary = image.scanSummary;
