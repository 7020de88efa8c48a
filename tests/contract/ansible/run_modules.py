"""Run modules of Ansible one after another as Ansible does on a host, each as a program that reads its arguments.

Standard input: a JSON list of [module, arguments]; standard output: the JSON list of what each module told.
"""

import contextlib
import io
import json
import runpy
import sys

from ansible.module_utils import basic

answers = []
for name, arguments in json.load(sys.stdin):
    # What Ansible's own wrapper of a module sets; "legacy" is for modules that do not come with Ansible.
    vars(basic)["_ANSIBLE_ARGS"] = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
    vars(basic)["_ANSIBLE_PROFILE"] = "legacy"
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
        runpy.run_module(f"ansible.modules.cloud.alicloud.{name}", run_name="__main__")
    answers.append(json.loads(told.getvalue()))
json.dump(answers, sys.stdout)
