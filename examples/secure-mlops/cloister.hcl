# What Terraform does not say: the DevOps project, what runs first, and what the
# summary compares.

terraform = "terraform"

machines {
  python = "ml/environment/conda.yml"
}

devops {
  organization = "cloister"
  project      = "diabetes"
  pool         = "mlops-agents"
  token        = "agent_token" # the Terraform variable that is given the agents' token

  pipeline "train" { yaml = "pipelines/train.yml" }
  pipeline "deploy" { yaml = "pipelines/deploy.yml" }
}

# Where express_route_gateway is set: what the company's routers advertise by the
# circuit that express_route_circuit_id names.
on_premises "headquarters" {
  circuit  = "erc-headquarters"
  prefixes = ["192.168.0.0/16"]
}

run {
  pipeline = "train"
  then     = "deploy"
}

score {
  endpoint = "diabetes"
  model    = "diabetes"
  from     = "vm-jump"
  request  = "ml/sample-request.json"
  direct   = ["python3", "ml/direct.py", "ml/data/diabetes.csv", "ml/sample-request.json"]
}
