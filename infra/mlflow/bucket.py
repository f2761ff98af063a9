"""Makes the bucket of the artifacts where there is none, then ends; the compose file runs it before the server."""

import os

import boto3
from botocore.exceptions import ClientError

_THERE = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")


def main() -> None:
    """Create the bucket MLFLOW_BUCKET at MLFLOW_S3_ENDPOINT_URL; keys and region are those that boto3 finds in the environment."""
    client = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
    try:
        client.create_bucket(Bucket=os.environ["MLFLOW_BUCKET"])
    except ClientError as error:
        if error.response["Error"]["Code"] not in _THERE:
            raise


if __name__ == "__main__":
    main()
