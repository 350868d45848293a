#!/usr/bin/env python3
"""observability/ without a cluster: every file is what its reader wants, by that reader's own
program or definitions (promtool, docker-compose, the Kubernetes API's types, yamllint), and the files
agree with each other and with the documents. tests/e2e/test_observability.py runs them.
"""

import datetime
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dockerfile  # noqa: E402

try:
    import yaml
except ImportError:
    yaml = None
try:
    import kubernetes.client as kubernetes
except ImportError:
    kubernetes = None

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KIT = os.path.join(ROOT, "observability")
SWIMD = os.environ.get("SWIMD")
DASHBOARD = os.path.join(KIT, "grafana", "dashboards", "swim.json")
DOCKERFILE_LINT = os.path.join(ROOT, "tests", "page", "node_modules", "dockerfile-utils", "bin",
                               "dockerfile-utils")
V1_PANELS = ["Cluster Membership", "Gossip Throughput (rate/s)", "Probe Activity (rate/s)",
             "Failure Detection", "Merge Outcomes (rate/s)", "Reliable Delivery & Anti-Entropy",
             "Gossip Rounds (total)", "Total Messages Sent"]
OUR_PANELS = ["Detection Time", "False Suspicions", "Local Health", "Bytes", "Queues",
              "Drops by Reason", "View Digest Agreement"]


def path(*parts):
    return os.path.join(KIT, *parts)


def text_of(*parts):
    with open(path(*parts), encoding="utf-8") as file:
        return file.read()


def yaml_of(*parts):
    return yaml.safe_load(text_of(*parts))


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60,
                          **options)


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not there")


class Kit(unittest.TestCase):
    def assert_runs(self, *command, **options):
        done = run(*command, **options)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout


class Prometheus(Kit):
    @needs("promtool")
    def test_promtool_likes_the_configurations(self):
        for name in ("prometheus.yml", "docker/prometheus.yml"):
            # Where it is mounted, the rules are beside it.
            option = [] if name == "prometheus.yml" else ["--syntax-only"]
            self.assert_runs("promtool", "check", "config", *option, path(name))
        self.assert_runs("promtool", "check", "rules", "--lint=all", "--lint-fatal",
                         path("rules.yml"))

    @needs("promtool")
    def test_the_rules_pass_their_tests(self):
        said = self.assert_runs("promtool", "test", "rules", path("rules.test.yml"))
        self.assertIn("SUCCESS", said)

    @unittest.skipUnless(yaml, "python3-yaml is not there")
    def test_every_rule_has_a_test(self):
        tests = text_of("rules.test.yml")
        for group in yaml_of("rules.yml")["groups"]:
            for rule in group["rules"]:
                if "record" in rule:
                    self.assertIn(f"expr: {rule['record']}", tests)
                    continue
                fired = re.search(rf"alertname: {rule['alert']}\n *eval_time: \S+\n *exp_alerts:",
                                  tests)
                self.assertTrue(fired, f"{rule['alert']}: nothing shows that it fires")
                self.assertIn(f"{{alertname: {rule['alert']}, ", tests, "nor that it waits")

    @unittest.skipUnless(yaml, "python3-yaml is not there")
    def test_every_alert_has_a_chapter(self):
        with open(os.path.join(ROOT, "docs", "observability.md"), encoding="utf-8") as file:
            headings = re.findall(r"(?m)^#+ (.*)$", file.read())
        anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
        alerts = [rule for group in yaml_of("rules.yml")["groups"] for rule in group["rules"]
                  if "alert" in rule]
        self.assertGreater(len(alerts), 10)
        for alert in alerts:
            annotations = alert["annotations"]
            self.assertEqual(set(annotations), {"summary", "description", "runbook"})
            document, _, anchor = annotations["runbook"].partition("#")
            self.assertEqual(document, "docs/observability.md")
            self.assertEqual(anchor, alert["alert"].lower())
            self.assertIn(anchor, anchors)
            self.assertIn(alert["labels"]["severity"], ("warning", "critical"))


class Dashboard(Kit):
    def setUp(self):
        self.dashboard = json.loads(text_of("grafana", "dashboards", "swim.json"))
        self.panels = self.dashboard["panels"]

    def test_head(self):
        self.assertEqual(self.dashboard["title"], "SWIM Gossip Protocol")
        self.assertGreaterEqual(self.dashboard["schemaVersion"], 39)
        self.assertIsNone(self.dashboard["id"])
        names = [v["name"] for v in self.dashboard["templating"]["list"]]
        self.assertEqual(names, ["datasource", "job", "instance"])

    def test_panels(self):
        titles = [p["title"] for p in self.panels if p["type"] != "row"]
        self.assertEqual(titles[:8], V1_PANELS)
        for title in OUR_PANELS:
            self.assertIn(title, titles)
        self.assertEqual(len(set(titles)), len(titles))
        ids = [p["id"] for p in self.panels]
        self.assertEqual(len(set(ids)), len(ids))
        for panel in self.panels:
            if panel["type"] == "row":
                continue
            self.assertGreater(len(panel["description"]), 10, panel["title"])
            self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
            self.assertEqual(panel["datasource"]["uid"], "${datasource}")
            letters = [t["refId"] for t in panel["targets"]]
            self.assertEqual(len(set(letters)), len(letters))
            self.assertTrue(letters)
            for target in panel["targets"]:
                self.assertEqual(target["datasource"]["uid"], "${datasource}")
                self.assertIn('job=~"$job", instance=~"$instance"', target["expr"])
                self.assertNotRegex(target["expr"], r"\[\d", "a range that doesn't follow the zoom")

    def test_nothing_overlaps(self):
        taken = {}
        for panel in self.panels:
            at = panel["gridPos"]
            self.assertTrue(0 <= at["x"] and at["x"] + at["w"] <= 24 and at["y"] >= 0, panel["title"])
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    self.assertNotIn((x, y), taken, (panel["title"], taken.get((x, y))))
                    taken[x, y] = panel["title"]

    @unittest.skipUnless(yaml, "python3-yaml is not there")
    def test_provisioning_leads_to_it(self):
        provider = yaml_of("grafana", "provisioning", "dashboards", "swim.yml")["providers"][0]
        source = yaml_of("grafana", "provisioning", "datasources", "prometheus.yml")["datasources"][0]
        grafana = yaml_of("docker-compose.yml")["services"]["grafana"]
        mounts = dict(v.split(":")[:2] for v in grafana["volumes"])
        self.assertEqual(mounts["./grafana/dashboards"], provider["options"]["path"])
        self.assertEqual(mounts["./grafana/provisioning"], "/etc/grafana/provisioning")
        home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
        self.assertEqual(home, provider["options"]["path"] + "/" + os.path.basename(DASHBOARD))
        self.assertEqual(source["url"], "http://prometheus:9090")
        self.assertEqual(source["jsonData"]["timeInterval"],
                         yaml_of("prometheus.yml")["global"]["scrape_interval"])


@unittest.skipUnless(yaml, "python3-yaml is not there")
class Compose(Kit):
    @needs("docker-compose")
    def test_docker_compose_likes_it(self):
        """Debian's docker-compose checks it against the schema of the Compose specification."""
        self.assert_runs("docker-compose", "-f", path("docker-compose.yml"), "config", "--quiet")

    @needs("docker-compose")
    def test_docker_compose_would_find_a_mistake(self):
        broken = text_of("docker-compose.yml").replace("read_only: true", "read_onyl: true")
        done = run("docker-compose", "-f", "-", "config", "--quiet", input=broken, cwd=KIT)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("read_onyl", done.stderr)

    def test_members(self):
        services = yaml_of("docker-compose.yml")["services"]
        self.assertEqual(set(services), {"node1", "node2", "node3", "prometheus", "grafana"})
        for i, name in enumerate(["node1", "node2", "node3"]):
            node = services[name]
            self.assertEqual(node["ports"], [f"127.0.0.1:{9100 + i}:{9100 + i}"])
            self.assertIn(f"--bind=0.0.0.0:{7000 + i}", node["command"])
            self.assertIn(f"--metrics-port={9100 + i}", node["command"])
            peers = [a for a in node["command"] if a.startswith("--peers=")][0]
            others = [f"node{k + 1}:{7000 + k}" for k in range(3) if k != i]
            self.assertEqual(peers, "--peers=" + ",".join(others))
            self.assertEqual((node["read_only"], node["cap_drop"]), (True, ["ALL"]))
            if SWIMD:
                config = path("docker", "compose.toml")
                self.assertIn("--state-dir=/var/lib/swim/state", node["command"])
                command = [a.replace("/etc/swim/swim.toml", config) for a in node["command"]
                           if not a.startswith("--state-dir=")]
                self.assert_runs(SWIMD, "--check-config", *command)
        for name, service in services.items():
            for port in service["ports"]:
                self.assertTrue(port.startswith("127.0.0.1:"), f"{name}: {port}")
            for mount in service["volumes"]:
                source = mount.split(":")[0]
                if source.startswith("."):
                    self.assertTrue(os.path.exists(path(source)), source)
                    self.assertTrue(mount.endswith(":ro"), mount)

    def test_images_have_versions(self):
        for name, service in yaml_of("docker-compose.yml")["services"].items():
            self.assertRegex(service["image"], r":v?\d+\.\d+\.\d+$", name)

    def test_its_prometheus_is_the_other_one(self):
        """But for where the members are, and what /sd calls them."""
        text = text_of("prometheus.yml")
        for i in range(3):
            text = re.sub(rf"127\.0\.0\.1:{9100 + i}\b", f"node{i + 1}:{9100 + i}", text)
        expected = yaml.safe_load(text)
        renaming = yaml_of("docker", "prometheus.yml")["scrape_configs"][1]["relabel_configs"][2]
        expected["scrape_configs"][1]["relabel_configs"].append(renaming)
        self.assertEqual(expected, yaml_of("docker", "prometheus.yml"))
        # As Prometheus does it: anchored, the source labels joined by a semicolon.
        found = re.fullmatch(renaming["regex"], "node2;172.18.0.3:9101")
        self.assertEqual(found.expand(renaming["replacement"].replace("$", "\\")), "node2:9101")
        self.assertEqual(renaming["target_label"], "instance")


class Docker(Kit):
    def setUp(self):
        self.stages = dockerfile.read(path("docker", "Dockerfile"))

    def test_stages(self):
        build, final = self.stages
        self.assertEqual((build.base, build.name), ("debian:bookworm", "build"))
        self.assertEqual(final.base, "scratch")
        self.assertEqual([i.text for i in build.all("RUN")], ["observability/docker/build.sh /out"])
        self.assertTrue(os.access(path("docker", "build.sh"), os.X_OK))
        self.assertEqual(final.all("RUN"), [], "there is nothing to run in it")
        for copy in final.all("COPY"):
            self.assertEqual(copy.flags["from"], "build")

    @unittest.skipUnless(os.path.exists(DOCKERFILE_LINT) and shutil.which("node"),
                         "dockerfile-utils is not there: tools/setup test")
    def test_the_linter_likes_it(self):
        self.assert_runs("node", DOCKERFILE_LINT, "lint", path("docker", "Dockerfile"))
        with tempfile.TemporaryDirectory() as folder:
            broken = os.path.join(folder, "Dockerfile")
            with open(broken, "w", encoding="utf-8") as file:
                file.write(text_of("docker", "Dockerfile").replace("7000/udp", "7000/udpp"))
            self.assertNotEqual(run("node", DOCKERFILE_LINT, "lint", broken).returncode, 0)

    def test_nobody_runs_it(self):
        final = self.stages[-1]
        self.assertEqual(final.last("USER").text, "65534:65534")
        owned = [c for c in final.all("COPY") if c.flags.get("chown") == "65534:65534"]
        self.assertEqual([c.text.split()[1] for c in owned], ["/run/swim", "/var/lib/swim"])
        self.assertEqual(final.last("ENTRYPOINT").exec_form(), ["/usr/bin/swimd"])
        self.assertEqual(final.last("STOPSIGNAL").text, "SIGTERM")
        self.assertNotRegex(" ".join(final.env()), r"(?i)key|token|password|secret")

    def test_health(self):
        check = self.stages[-1].last("HEALTHCHECK")
        command, words = check.text.split(" ", 1)
        self.assertEqual((command, json.loads(words)), ("CMD", ["/usr/bin/swimctl", "info"]))
        self.assertEqual(set(check.flags), {"interval", "timeout", "start-period", "retries"})
        env = self.stages[-1].env()
        self.assertEqual(env["SWIM_SOCKET"], env["RUNTIME_DIRECTORY"] + "/control.sock")

    @unittest.skipUnless(SWIMD, "SWIMD is not set")
    def test_its_settings(self):
        self.assert_runs(SWIMD, "--check-config", "--config", path("docker", "swim.toml"))

    def test_a_mistake_is_found(self):
        with self.assertRaisesRegex(ValueError, "2: ADD"):
            self.read("FROM scratch\nADD x y\n")
        with self.assertRaisesRegex(ValueError, "1: RUN before FROM"):
            self.read("RUN x\n")
        with self.assertRaisesRegex(ValueError, "does not end"):
            self.read("FROM scratch\nRUN x \\\n")

    def read(self, text):
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(folder, "Dockerfile")
            with open(name, "w", encoding="utf-8") as file:
                file.write(text)
            return dockerfile.read(name)


def manifests():
    """(file, object) of everything that kubectl would send."""
    for name in sorted(glob.glob(path("kubernetes", "*.yaml"))):
        with open(name, encoding="utf-8") as file:
            for item in yaml.safe_load_all(file):
                if item["kind"] != "Kustomization":
                    yield os.path.basename(name), item


def check_type(value, kind, where):
    """Is `value` what the Kubernetes API calls `kind`? Yields what is wrong, unknown keys included."""
    listed = re.fullmatch(r"list\[(.*)\]", kind)
    mapped = re.fullmatch(r"dict\(str, (.*)\)", kind)
    plain = {"str": str, "int": int, "bool": bool, "object": (str, int, dict), "float": float,
             "datetime": datetime.datetime}
    if listed:
        if not isinstance(value, list):
            yield f"{where}: is no list"
            return
        for i, item in enumerate(value):
            yield from check_type(item, listed.group(1), f"{where}[{i}]")
    elif mapped:
        if not isinstance(value, dict):
            yield f"{where}: is no map"
            return
        for key, item in value.items():
            yield from check_type(item, mapped.group(1), f"{where}.{key}")
    elif kind in plain:
        if not isinstance(value, plain[kind]) or (kind == "int" and isinstance(value, bool)):
            yield f"{where}: {value!r} is not of type {kind}"
    else:
        yield from check_object(value, kind, where)


def check_object(value, kind, where):
    model = getattr(kubernetes, kind)
    attributes = {key: name for name, key in model.attribute_map.items()}
    if not isinstance(value, dict):
        yield f"{where}: is no map"
        return
    arguments = {}
    for key, item in value.items():
        if key not in attributes:
            yield f"{where}.{key}: no such field of {kind}"
            continue
        arguments[attributes[key]] = item
        yield from check_type(item, model.openapi_types[attributes[key]], f"{where}.{key}")
    try:
        model(**arguments)  # complains of what is missing
    except ValueError as error:
        yield f"{where}: {error}"


KINDS = {("v1", "Namespace"): "V1Namespace", ("v1", "ConfigMap"): "V1ConfigMap",
         ("v1", "Service"): "V1Service", ("apps/v1", "StatefulSet"): "V1StatefulSet",
         ("policy/v1", "PodDisruptionBudget"): "V1PodDisruptionBudget",
         ("networking.k8s.io/v1", "NetworkPolicy"): "V1NetworkPolicy"}


@unittest.skipUnless(yaml, "python3-yaml is not there")
class Kubernetes(Kit):
    def setUp(self):
        self.objects = {item["kind"]: item for _, item in manifests()}
        self.pod = self.objects["StatefulSet"]["spec"]["template"]["spec"]
        self.swimd = self.pod["containers"][0]

    @unittest.skipUnless(kubernetes, "python3-kubernetes is not there")
    def test_the_api_knows_every_field(self):
        for name, item in manifests():
            kind = KINDS[item["apiVersion"], item["kind"]]
            self.assertEqual(list(check_object(item, kind, name)), [])

    @unittest.skipUnless(kubernetes, "python3-kubernetes is not there")
    def test_mistakes_are_found(self):
        good = self.objects["StatefulSet"]
        breaks = {"no such field": lambda o: o["spec"].update(replica=3),
                  "not of type int": lambda o: o["spec"].update(replicas="3"),
                  "is no list": lambda o: o["spec"]["template"]["spec"].update(volumes={}),
                  "must not be `None`": lambda o: o["spec"].pop("selector"),
                  "is no map": lambda o: o["metadata"].update(labels=["a"])}
        for text, damage in breaks.items():
            bad = json.loads(json.dumps(good))
            damage(bad)
            problems = list(check_object(bad, "V1StatefulSet", "x"))
            self.assertEqual(len(problems), 1, problems)
            self.assertIn(text, problems[0])

    def test_everything_is_applied(self):
        listed = yaml_of("kubernetes", "kustomization.yaml")["resources"]
        there = {os.path.basename(p) for p in glob.glob(path("kubernetes", "*.yaml"))}
        self.assertEqual(set(listed), there - {"kustomization.yaml"})
        for name, item in manifests():
            space = item["metadata"].get("namespace")
            self.assertEqual(space, None if item["kind"] == "Namespace" else "swim", name)

    def test_the_service_finds_pods_that_are_not_ready(self):
        service = self.objects["Service"]["spec"]
        self.assertEqual(service["clusterIP"], "None")
        self.assertIs(service["publishNotReadyAddresses"], True)
        labels = self.objects["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
        for selector in (service["selector"],
                         self.objects["StatefulSet"]["spec"]["selector"]["matchLabels"],
                         self.objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
                         self.objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]):
            self.assertLessEqual(selector.items(), labels.items())
        self.assertEqual(self.objects["StatefulSet"]["spec"]["serviceName"],
                         self.objects["Service"]["metadata"]["name"])
        self.assertEqual(self.objects["StatefulSet"]["spec"]["podManagementPolicy"], "Parallel")

    def test_the_settings(self):
        settings = self.objects["ConfigMap"]["data"]["swim.toml"]
        name = self.objects["Service"]["metadata"]["name"]
        self.assertIn(f'peers = ["{name}.swim.svc.cluster.local:7000"]', settings)
        mounts = {m["mountPath"] for m in self.swimd["volumeMounts"]}
        self.assertIn("/etc/swim", mounts)
        # In a folder of its own: that of a volume is for everybody, which swimd refuses.
        self.assertIn("--state-dir=/var/lib/swim/state", self.swimd["args"])
        self.assertIn("/var/lib/swim", mounts)
        self.assertIn(dockerfile.read(path("docker", "Dockerfile"))[-1].env()["RUNTIME_DIRECTORY"],
                      mounts)
        key = re.search(r'key_file = "(.*)"', settings).group(1)
        self.assertIn(os.path.dirname(key), mounts)
        self.assertEqual(self.pod["initContainers"][0]["command"][-1], key)
        if SWIMD:
            self.check_config(settings.replace(key, os.path.join(os.sep, "dev", "null")))

    def check_config(self, settings):
        with tempfile.TemporaryDirectory() as folder:
            key = os.path.join(folder, "key")
            with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
                file.write("0" * 63 + "1")
            config = os.path.join(folder, "swim.toml")
            with open(config, "w", encoding="utf-8") as file:
                file.write(settings.replace("/dev/null", key))
            arguments = [a.replace("/etc/swim/swim.toml", config).replace("$(POD_IP)", "10.0.0.9")
                         .replace("$(POD_NAME)", "swim-0")
                         for a in self.swimd["args"]]
            self.assert_runs(SWIMD, "--check-config", *(
                a for a in arguments if not a.startswith("--state-dir=")))

    def test_probes_and_ports(self):
        ports = {p["name"]: (p["containerPort"], p["protocol"]) for p in self.swimd["ports"]}
        self.assertEqual(ports, {"swim": (7000, "UDP"), "http": (9100, "TCP")})
        self.assertEqual(self.swimd["readinessProbe"]["httpGet"], {"path": "/readyz", "port": "http"})
        self.assertEqual(self.swimd["livenessProbe"]["httpGet"], {"path": "/healthz", "port": "http"})
        self.assertGreater(self.pod["terminationGracePeriodSeconds"], 3)

    def test_restricted(self):
        """By the rules of the pod security standard of that name."""
        self.assertEqual(self.objects["Namespace"]["metadata"]["labels"],
                         {"pod-security.kubernetes.io/enforce": "restricted"})
        self.assertIs(self.pod["securityContext"]["runAsNonRoot"], True)
        self.assertEqual(self.pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
        self.assertIs(self.pod["automountServiceAccountToken"], False)
        for container in self.pod["initContainers"] + self.pod["containers"]:
            context = container["securityContext"]
            self.assertIs(context["allowPrivilegeEscalation"], False)
            self.assertIs(context["readOnlyRootFilesystem"], True)
            self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
            self.assertIn("memory", container["resources"]["limits"])
            self.assertNotIn("cpu", container["resources"]["limits"])

    def test_the_network_policy(self):
        policy = self.objects["NetworkPolicy"]["spec"]
        self.assertEqual(policy["policyTypes"], ["Ingress", "Egress"])
        for rule in policy["ingress"]:
            self.assertTrue(rule["from"] and rule["ports"], "from everybody, or to every port")
        for rule in policy["egress"]:
            self.assertTrue(rule["to"] and rule["ports"])
        self.assertEqual(policy["ingress"][0]["ports"], [{"protocol": "UDP", "port": "swim"}])

    def test_no_key_is_in_them(self):
        for name in glob.glob(path("kubernetes", "*")):
            self.assertNotRegex(text_of("kubernetes", os.path.basename(name)), r"[0-9a-fA-F]{64}")
        self.assertNotIn("Secret", self.objects)


class Everywhere(Kit):
    @needs("yamllint")
    def test_yamllint(self):
        said = run("yamllint", "--strict", "-c", path(".yamllint"), KIT)
        self.assertEqual((said.returncode, said.stdout), (0, ""))

    def test_one_version(self):
        with open(os.path.join(ROOT, "meson.build"), encoding="utf-8") as file:
            version = re.search(r"version: '([\d.]+)'", file.read()).group(1)
        for name in ("docker-compose.yml", "kubernetes/statefulset.yaml"):
            self.assertIn(f"image: swimd:{version}\n", text_of(name))
        self.assertIn(f"newTag: {version}\n", text_of("kubernetes", "kustomization.yaml"))

    def test_the_document_names_every_file(self):
        with open(os.path.join(ROOT, "docs", "observability.md"), encoding="utf-8") as file:
            document = file.read()
        for name in os.listdir(KIT):
            if not name.startswith("."):
                self.assertTrue(f"`{name}" in document, name)


if __name__ == "__main__":
    unittest.main()
