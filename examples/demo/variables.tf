# What the demo's network consists of. run.sh makes one in the emulator and writes
# network.auto.tfvars.json. With an AWS account these are a VPC and a role of yours.
variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "execution_role_arn" {
  type = string
}

# Who may come in: the corporate network of the two posts, and its first user.
variable "client_cidr_blocks" {
  type    = set(string)
  default = ["192.168.10.0/24"]
}

variable "users" {
  type    = set(string)
  default = ["demouser1"]
}
