using './main.bicep'

param name = 'pneumonia'
param alertEmails = [
  'radiology-it@example.org'
]
param monthlyBudget = 20

// Once the images are pushed (output registryUrl):
param serveImage = 'crpneumoniaabc123.azurecr.io/serve:0.1.0'
param trainImage = 'crpneumoniaabc123.azurecr.io/train:0.1.0'

// Once the vault has the secret (output vaultUrl):
param useAdminToken = true
