"""Start the stand-in of Azure's host: arguments are the address, as ASPNETCORE_URLS has it, and the script root."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import function_azure

# The image has this package without the host, which on Azure is Microsoft's; here it lies beside this file.
function_azure.__path__.append(str(Path(__file__).with_name("function_azure")))
from function_azure import host  # noqa: E402

_, urls, script_root = sys.argv
url = urlsplit(urls.replace("+", "0.0.0.0"))
host.main(["--address", str(url.hostname), "--port", str(url.port or 80), "--script-root", script_root])
