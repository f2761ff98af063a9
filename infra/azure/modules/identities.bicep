// One identity for each thing that acts, each with what it needs and on that alone: the roles stand with what they open.

@description('What the names are made of.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

resource service 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-${name}-service'
  location: location
  tags: tags
}

resource retrain 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-${name}-retrain'
  location: location
  tags: tags
}

resource drift 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-${name}-drift'
  location: location
  tags: tags
}

@description('Resource id of the identity that answers.')
output serviceId string = service.id

@description('Its object id, which roles are given to.')
output servicePrincipalId string = service.properties.principalId

@description('Its client id, which its programs name it by.')
output serviceClientId string = service.properties.clientId

@description('Resource id of the identity that retrains.')
output retrainId string = retrain.id

@description('Its object id.')
output retrainPrincipalId string = retrain.properties.principalId

@description('Its client id.')
output retrainClientId string = retrain.properties.clientId

@description('Resource id of the identity that looks for drift.')
output driftId string = drift.id

@description('Its object id.')
output driftPrincipalId string = drift.properties.principalId

@description('Its client id.')
output driftClientId string = drift.properties.clientId
