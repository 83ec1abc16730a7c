"""Score once and tell Application Insights how it went, as an availability result.

usage: monitor.py ENDPOINT REQUEST"""

import json
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime

METADATA = "http://169.254.169.254/metadata/"


def get(url, headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return json.load(answer)


def component():
    """The Application Insights component of the machine's resource group."""
    machine = get(METADATA + "instance?api-version=2021-02-01", {"Metadata": "true"})["compute"]
    token = get(METADATA + "identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com", {"Metadata": "true"})
    group = f"https://management.azure.com/subscriptions/{machine['subscriptionId']}/resourceGroups/{machine['resourceGroupName']}"
    listed = get(group + "/providers/Microsoft.Insights/components?api-version=2020-02-02", {"Authorization": "Bearer " + token["access_token"]})
    return listed["value"][0]["properties"]


def availability(key, name, success, seconds):
    """An availability result in the shape of Application Insights' ingestion API."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return {
        "name": "Microsoft.ApplicationInsights.Availability",
        "time": datetime.now(UTC).isoformat(),
        "iKey": key,
        "data": {"baseType": "AvailabilityData", "baseData": {
            "ver": 2, "id": f"{name}-{time.time_ns()}", "name": name, "success": success,
            "duration": f"{int(hours):02}:{int(minutes):02}:{rest:09.6f}", "runLocation": "agent",
        }},
    }


def main():
    endpoint, request = sys.argv[1:]
    started = time.monotonic()
    scored = subprocess.run(["cloister", "ml", "online-endpoint", "invoke", "-n", endpoint, "-r", request])
    insights = component()
    settings = dict(pair.split("=", 1) for pair in insights["ConnectionString"].split(";") if pair)
    item = availability(settings["InstrumentationKey"], endpoint, scored.returncode == 0, time.monotonic() - started)
    track = urllib.request.Request(
        settings["IngestionEndpoint"].rstrip("/") + "/v2.1/track", json.dumps([item]).encode(), {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(track, timeout=10) as answer:
        print("Application Insights:", json.load(answer))
    sys.exit(scored.returncode)


if __name__ == "__main__":
    main()
