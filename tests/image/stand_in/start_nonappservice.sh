#!/bin/sh
# As Azure's worker does in Azure: the app's packages come before its own, and nothing else is on the path.
export PYTHONPATH="${AzureWebJobsScriptRoot:?}/.python_packages/lib/site-packages:/azure-functions-host/workers/python/3.13/LINUX/X64"
exec python /azure-functions-host/stand-in/start.py "${ASPNETCORE_URLS:?}" "$AzureWebJobsScriptRoot"
