"""`SecuredCloudRunService`: a Cloud Run service that runs only images that have passed verification."""
