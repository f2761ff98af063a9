// The images, and who may pull them. Who pushes does so as a person or pipeline with AcrPush: `az acr login`.

@description('Name of the registry.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Object ids of the identities that may pull.')
param pullerIds array

var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Basic'
  }
  properties: {
    adminUserEnabled: false
  }
}

resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for pullerId in pullerIds: {
  scope: registry
  name: guid(registry.id, pullerId, acrPull)
  properties: {
    principalId: pullerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', acrPull)
  }
}]

@description('Host name of the registry.')
output server string = registry.properties.loginServer
