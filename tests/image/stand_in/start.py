"""Start the stand-in of Azure's host where ASPNETCORE_URLS says, on the app in AzureWebJobsScriptRoot."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import function_azure

# The image has this package without the host, which on Azure is Microsoft's; here it lies beside this file.
function_azure.__path__.append(str(Path(__file__).with_name("function_azure")))
from function_azure import host  # noqa: E402

address = urlsplit(os.environ["ASPNETCORE_URLS"].replace("+", "0.0.0.0"))  # noqa: S104 - what the plus sign means there
host.main(
    ["--address", str(address.hostname), "--port", str(address.port or 80), "--script-root", os.environ["AzureWebJobsScriptRoot"], *sys.argv[1:]]
)
